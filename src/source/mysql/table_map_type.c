/* What a table map says of each type, and their names. */
#include "source/mysql/table_map_parts.h"

/* BINARY, VARBINARY and BLOB are text of this collation. */
enum { COLLATION_BINARY = 63 };

/* Both servers count YEAR among the numbers. */
static const struct table_map_type TYPES[256] = {
    [MY_DECIMAL_OLD] = {.name = "decimal of MySQL 4", .metadata = METADATA_NONE, .is_number = true},
    [MY_TINY] = {.name = "tinyint", .metadata = METADATA_NONE, .is_number = true},
    [MY_SHORT] = {.name = "smallint", .metadata = METADATA_NONE, .is_number = true},
    [MY_LONG] = {.name = "int", .metadata = METADATA_NONE, .is_number = true},
    [MY_FLOAT] = {.name = "float", .metadata = METADATA_SIZE, .is_number = true},
    [MY_DOUBLE] = {.name = "double", .metadata = METADATA_SIZE, .is_number = true},
    [MY_NULL] = {.name = "null", .metadata = METADATA_NONE},
    [MY_TIMESTAMP] = {.name = "timestamp", .metadata = METADATA_NONE},
    [MY_LONGLONG] = {.name = "bigint", .metadata = METADATA_NONE, .is_number = true},
    [MY_INT24] = {.name = "mediumint", .metadata = METADATA_NONE, .is_number = true},
    [MY_DATE] = {.name = "date", .metadata = METADATA_NONE},
    [MY_TIME] = {.name = "time", .metadata = METADATA_NONE},
    [MY_DATETIME] = {.name = "datetime", .metadata = METADATA_NONE},
    [MY_YEAR] = {.name = "year", .metadata = METADATA_NONE, .is_number = true},
    [MY_NEWDATE] = {.name = "date", .metadata = METADATA_NONE},
    [MY_VARCHAR] = {.name = "varchar",
                    .metadata = METADATA_LENGTH,
                    .form = FORM_STRING,
                    .is_text = true,
                    .binary = "varbinary"},
    [MY_BIT] = {.name = "bit", .metadata = METADATA_BIT, .form = FORM_BIT},
    [MY_TIMESTAMP2] = {.name = "timestamp", .metadata = METADATA_FRACTION, .form = FORM_FRACTION},
    [MY_DATETIME2] = {.name = "datetime", .metadata = METADATA_FRACTION, .form = FORM_FRACTION},
    [MY_TIME2] = {.name = "time", .metadata = METADATA_FRACTION, .form = FORM_FRACTION},
    [MY_BLOB_COMPRESSED] = {.name = "",
                            .metadata = METADATA_LENGTH_BYTES,
                            .form = FORM_BLOB,
                            .is_text = true},
    [MY_VARCHAR_COMPRESSED] = {.name = "varchar",
                               .metadata = METADATA_LENGTH,
                               .form = FORM_STRING,
                               .is_text = true,
                               .binary = "varbinary"},
    [MY_VECTOR] = {.name = "vector", .metadata = METADATA_LENGTH_BYTES},
    [MY_JSON] = {.name = "json", .metadata = METADATA_LENGTH_BYTES},
    [MY_NEWDECIMAL] = {.name = "decimal",
                       .metadata = METADATA_DECIMAL,
                       .form = FORM_DECIMAL,
                       .is_number = true},
    [MY_ENUM] = {.name = "enum", .metadata = METADATA_STRING},
    [MY_SET] = {.name = "set", .metadata = METADATA_STRING},
    [MY_BLOB] = {.name = "", .metadata = METADATA_LENGTH_BYTES, .form = FORM_BLOB, .is_text = true},
    [MY_STRING] = {.name = "char",
                   .metadata = METADATA_STRING,
                   .form = FORM_STRING,
                   .is_text = true,
                   .binary = "binary"},
    [MY_GEOMETRY] = {.name = "geometry", .metadata = METADATA_LENGTH_BYTES},
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
