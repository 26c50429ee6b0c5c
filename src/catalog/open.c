#include <string.h>

#include "catalog/catalog.h"
#include "catalog/rest.h"

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
