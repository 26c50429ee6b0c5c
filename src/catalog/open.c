#include <string.h>

#include "catalog/catalog.h"

/* In rest.c. */
struct iceberg_catalog *rest_catalog_open(const struct catalog_config *config, struct error *err);

/* PLACEHOLDER until rest.c is there: this definition goes then. */
struct iceberg_catalog *rest_catalog_open(const struct catalog_config *config, struct error *err)
{
    (void)config;
    (void)error_set(err, ERROR_CONFIG, "catalog type rest: not built yet");
    return NULL;
}

struct iceberg_catalog *catalog_open(const struct catalog_config *config, struct error *err)
{
    const char *type = config->type ? config->type : "";
    if (strcmp(type, "rest") == 0) {
        return rest_catalog_open(config, err);
    }
    if (strcmp(type, "filesystem") != 0) {
        (void)error_set(err, ERROR_CONFIG, "there is no catalog type \"%s\"", type);
        return NULL;
    }
    if (!config->warehouse) {
        (void)error_set(err, ERROR_CONFIG, "a filesystem catalog needs a warehouse");
        return NULL;
    }
    return catalog_open_filesystem(config->warehouse, err);
}
