/* The table function leat_input(connection, slot): rows of a slot as DuckDB chunks.
 *
 * A plan is bound to the slot and not to what lies in it, so that a prepared statement runs over
 * one batch after another without being planned again. Values are copied a vector at a time, string
 * bytes not at all: struct view is bit-equal to duckdb_string_t. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/duckdb_internal.h"

/* What a plan was bound with. */
struct input_binding {
    struct engine_connection *connection;
    uint32_t slot;
    uint32_t column_count;
    struct type *types;
    char **names;
};

/* One scan. */
struct input_scan {
    struct engine_input input;
    uint32_t next_row;
    uint32_t projection_count;
    uint32_t *projection; /* column of the input, by column of the chunk */
};

static void *allocate(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size);
    if (!p) {
        abort();
    }
    return p;
}

static void binding_free(void *arg)
{
    struct input_binding *binding = arg;
    for (uint32_t i = 0; i < binding->column_count; i++) {
        free(binding->names[i]);
    }
    free(binding->names);
    free(binding->types);
    free(binding);
}

static void scan_free(void *arg)
{
    struct input_scan *scan = arg;
    free(scan->projection);
    free(scan);
}

static bool parameter(duckdb_bind_info info, idx_t index, uint32_t limit, uint32_t *out)
{
    duckdb_value value = duckdb_bind_get_parameter(info, index);
    int64_t number = value && !duckdb_is_null_value(value) ? duckdb_get_int64(value) : -1;
    duckdb_destroy_value(&value);
    if (number < 0 || number >= limit) {
        return false;
    }
    *out = (uint32_t)number;
    return true;
}

static struct engine_connection *find_connection(struct engine *e, duckdb_bind_info info)
{
    struct engine_connection *found = NULL;
    (void)pthread_mutex_lock(&e->lock);
    uint32_t number = 0;
    if (parameter(info, 0, e->connection_count, &number)) {
        found = e->connections[number];
    }
    (void)pthread_mutex_unlock(&e->lock);
    return found;
}

static void bind(duckdb_bind_info info)
{
    struct engine_connection *c = find_connection(duckdb_bind_get_extra_info(info), info);
    uint32_t slot = 0;
    if (!c || !parameter(info, 1, ENGINE_SLOTS, &slot) || !c->bound[slot]) {
        duckdb_bind_set_error(info, "no such input");
        return;
    }
    const struct engine_input *input = &c->slots[slot];
    struct input_binding *binding = allocate(1, sizeof(*binding));
    binding->connection = c;
    binding->slot = slot;
    binding->column_count = input->column_count;
    binding->types = allocate(input->column_count, sizeof(*binding->types));
    binding->names = allocate(input->column_count, sizeof(*binding->names));
    for (uint32_t i = 0; i < input->column_count; i++) {
        binding->types[i] = input->columns[i].type;
        binding->names[i] = strdup(input->names[i]);
        if (!binding->names[i]) {
            abort();
        }
        duckdb_logical_type type = type_to_duckdb(input->columns[i].type);
        duckdb_bind_add_result_column(info, input->names[i], type);
        duckdb_destroy_logical_type(&type);
    }
    duckdb_bind_set_cardinality(info, input->row_count, false);
    duckdb_bind_set_bind_data(info, binding, binding_free);
}

static bool same_columns(const struct input_binding *binding, const struct engine_input *input)
{
    if (binding->column_count != input->column_count) {
        return false;
    }
    for (uint32_t i = 0; i < input->column_count; i++) {
        if (!type_equal(binding->types[i], input->columns[i].type) ||
            strcmp(binding->names[i], input->names[i]) != 0) {
            return false;
        }
    }
    return true;
}

static void init(duckdb_init_info info)
{
    const struct input_binding *binding = duckdb_init_get_bind_data(info);
    const struct engine_input *input = &binding->connection->slots[binding->slot];
    if (!same_columns(binding, input)) {
        duckdb_init_set_error(info, "the input has other columns than the statement was prepared "
                                    "with");
        return;
    }
    struct input_scan *scan = allocate(1, sizeof(*scan));
    scan->input = *input;
    scan->projection_count = (uint32_t)duckdb_init_get_column_count(info);
    scan->projection = allocate(scan->projection_count, sizeof(*scan->projection));
    for (uint32_t i = 0; i < scan->projection_count; i++) {
        /* count(*) asks for a column that does not exist and reads nothing of it */
        idx_t column = duckdb_init_get_column_index(info, i);
        scan->projection[i] = column < input->column_count ? (uint32_t)column : UINT32_MAX;
    }
    duckdb_init_set_init_data(info, scan, scan_free);
}

/* DuckDB keeps a UUID as a 128-bit integer with the top bit flipped, so that integers sort as text
 * does. */
static void copy_uuids(duckdb_hugeint *to, const struct uuid *from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t halves[2];
        memcpy(halves, &from[i], sizeof(halves));
        to[i].upper = (int64_t)(__builtin_bswap64(halves[0]) ^ (UINT64_C(1) << 63));
        to[i].lower = __builtin_bswap64(halves[1]);
    }
}

static void copy_column(duckdb_vector to, const struct column *from, uint32_t row, uint32_t count)
{
    void *data = duckdb_vector_get_data(to);
    size_t width = type_width(from->type);
    const char *values = (const char *)from->values + row * width;
    if (from->type.kind == TYPE_UUID) {
        copy_uuids(data, (const struct uuid *)(const void *)values, count);
    } else {
        memcpy(data, values, count * width);
    }
    if (from->valid) {
        duckdb_vector_ensure_validity_writable(to);
        /* Vectors begin at whole words, because their size is a multiple of 64. */
        memcpy(duckdb_vector_get_validity(to), from->valid + row / 64,
               ((size_t)count + 63) / 64 * sizeof(uint64_t));
    }
}

static void scan_next(duckdb_function_info info, duckdb_data_chunk chunk)
{
    struct input_scan *scan = duckdb_function_get_init_data(info);
    uint32_t left = scan->input.row_count - scan->next_row;
    uint32_t size = (uint32_t)duckdb_vector_size();
    uint32_t count = left < size ? left : size;
    for (uint32_t i = 0; i < scan->projection_count; i++) {
        if (scan->projection[i] != UINT32_MAX && count > 0) {
            copy_column(duckdb_data_chunk_get_vector(chunk, i),
                        &scan->input.columns[scan->projection[i]], scan->next_row, count);
        }
    }
    scan->next_row += count;
    duckdb_data_chunk_set_size(chunk, count);
}

bool input_register(struct engine *e, duckdb_connection connection, struct error *err)
{
    duckdb_table_function function = duckdb_create_table_function();
    duckdb_table_function_set_name(function, "leat_input");
    duckdb_logical_type bigint = duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
    duckdb_table_function_add_parameter(function, bigint);
    duckdb_table_function_add_parameter(function, bigint);
    duckdb_destroy_logical_type(&bigint);
    duckdb_table_function_set_extra_info(function, e, NULL);
    duckdb_table_function_set_bind(function, bind);
    duckdb_table_function_set_init(function, init);
    duckdb_table_function_set_function(function, scan_next);
    duckdb_table_function_supports_projection_pushdown(function, true);
    duckdb_state state = duckdb_register_table_function(connection, function);
    duckdb_destroy_table_function(&function);
    return state == DuckDBSuccess ||
           error_set(err, ERROR_FATAL, "cannot register the engine's table function");
}

void engine_bind(struct engine_connection *c, uint32_t slot, const struct engine_input *input)
{
    assert(slot < ENGINE_SLOTS);
    c->slots[slot] = *input;
    c->bound[slot] = true;
}

void engine_append_slot(struct engine_connection *c, uint32_t slot, struct buf *sql)
{
    buf_append_format(sql, "leat_input(%u, %u)", c->number, slot);
}
