/* What a table map says of each type, and their names. */
#include "source/mysql/table_map_parts.h"

/* BINARY, VARBINARY and BLOB are text of this collation. */
enum { COLLATION_BINARY = 63 };

/* Both servers count YEAR among the numbers. */
static const struct table_map_type TYPES[256] = {
    [MY_DECIMAL_OLD] = {"decimal of MySQL 4", METADATA_NONE, .is_number = true},
    [MY_TINY] = {"tinyint", METADATA_NONE, .is_number = true},
    [MY_SHORT] = {"smallint", METADATA_NONE, .is_number = true},
    [MY_LONG] = {"int", METADATA_NONE, .is_number = true},
    [MY_FLOAT] = {"float", METADATA_SIZE, .is_number = true},
    [MY_DOUBLE] = {"double", METADATA_SIZE, .is_number = true},
    [MY_NULL] = {"null", METADATA_NONE},
    [MY_TIMESTAMP] = {"timestamp", METADATA_NONE},
    [MY_LONGLONG] = {"bigint", METADATA_NONE, .is_number = true},
    [MY_INT24] = {"mediumint", METADATA_NONE, .is_number = true},
    [MY_DATE] = {"date", METADATA_NONE},
    [MY_TIME] = {"time", METADATA_NONE},
    [MY_DATETIME] = {"datetime", METADATA_NONE},
    [MY_YEAR] = {"year", METADATA_NONE, .is_number = true},
    [MY_NEWDATE] = {"date", METADATA_NONE},
    [MY_VARCHAR] = {"varchar", METADATA_LENGTH, FORM_STRING, .is_text = true,
                    .binary = "varbinary"},
    [MY_BIT] = {"bit", METADATA_BIT, FORM_BIT},
    [MY_TIMESTAMP2] = {"timestamp", METADATA_FRACTION, FORM_FRACTION},
    [MY_DATETIME2] = {"datetime", METADATA_FRACTION, FORM_FRACTION},
    [MY_TIME2] = {"time", METADATA_FRACTION, FORM_FRACTION},
    [MY_BLOB_COMPRESSED] = {"", METADATA_LENGTH_BYTES, FORM_BLOB, .is_text = true},
    [MY_VARCHAR_COMPRESSED] = {"varchar", METADATA_LENGTH, FORM_STRING, .is_text = true,
                               .binary = "varbinary"},
    [MY_VECTOR] = {"vector", METADATA_LENGTH_BYTES},
    [MY_JSON] = {"json", METADATA_LENGTH_BYTES},
    [MY_NEWDECIMAL] = {"decimal", METADATA_DECIMAL, FORM_DECIMAL, .is_number = true},
    [MY_ENUM] = {"enum", METADATA_STRING},
    [MY_SET] = {"set", METADATA_STRING},
    [MY_BLOB] = {"", METADATA_LENGTH_BYTES, FORM_BLOB, .is_text = true},
    [MY_STRING] = {"char", METADATA_STRING, FORM_STRING, .is_text = true, .binary = "binary"},
    [MY_GEOMETRY] = {"geometry", METADATA_LENGTH_BYTES},
};

const struct table_map_type *table_map_type_of(enum my_type type)
{
    return &TYPES[(uint8_t)type];
}

static const char *blob_name(const struct table_map_column *c)
{
    static const char *const texts[] = {"text", "tinytext", "text", "mediumtext", "longtext"};
    static const char *const blobs[] = {"blob", "tinyblob", "blob", "mediumblob", "longblob"};
    bool is_text = c->collation != 0 && c->collation != COLLATION_BINARY;
    return (is_text ? texts : blobs)[c->metadata <= 4 ? c->metadata : 0];
}

void table_map_format_type(const struct table_map_column *c, struct buf *out)
{
    const struct table_map_type *type = table_map_type_of(c->type);
    unsigned m = c->metadata;
    if (type->form == FORM_BLOB) {
        buf_append_text(out, blob_name(c));
    } else if (type->form == FORM_STRING && c->collation == COLLATION_BINARY) {
        buf_append_format(out, "%s(%u)", type->binary, m); /* of text we know bytes only */
    } else if (type->form == FORM_DECIMAL) {
        buf_append_format(out, "%s(%u,%u)", type->name, m >> 8, m & 0xFF);
    } else if (type->form == FORM_BIT) {
        buf_append_format(out, "%s(%u)", type->name, 8 * (m >> 8) + (m & 0xFF));
    } else if (type->form == FORM_FRACTION && m > 0) {
        buf_append_format(out, "%s(%u)", type->name, m);
    } else if (type->name) {
        buf_append_text(out, type->name);
    } else {
        buf_append_format(out, "type %u", c->type);
    }
    if (c->is_unsigned && c->type != MY_YEAR) {
        buf_append_text(out, " unsigned");
    }
    if (c->type == MY_VARCHAR_COMPRESSED || c->type == MY_BLOB_COMPRESSED) {
        buf_append_text(out, " compressed");
    }
}
