/* Pieces of the Avro schemas of manifests and their lists, as literals. [Iceberg spec, Appendix A,
 * Avro; Manifests; Manifest Lists] `type` is JSON text, `id` a number. */
#pragma once

#define AVRO_REQUIRED(name, type, id) \
    "{\"name\":\"" name "\",\"type\":" type ",\"field-id\":" #id "}"

#define AVRO_OPTIONAL(name, type, id) \
    "{\"name\":\"" name "\",\"type\":[\"null\"," type "],\"default\":null,\"field-id\":" #id "}"

#define AVRO_RECORD_OF(name, fields) \
    "{\"type\":\"record\",\"name\":\"" name "\",\"fields\":[" fields "]}"

#define AVRO_LIST_OF(type, element_id) \
    "{\"type\":\"array\",\"items\":" type ",\"element-id\":" #element_id "}"

/* Avro's maps have text keys only: by convention an array of pairs. */
#define AVRO_MAP_OF(value, key_id, value_id)                                                   \
    "{\"type\":\"array\",\"items\":" AVRO_RECORD_OF(                                           \
        "k" #key_id "_v" #value_id, AVRO_REQUIRED("key", "\"int\"", key_id) "," AVRO_REQUIRED( \
                                        "value", value, value_id)) ",\""                       \
                                                                   "logicalType\":\"map\"}"
