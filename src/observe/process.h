/* What the kernel says about this process. */
#pragma once

#include <stdint.h>

/* Memory in RAM in bytes: all of it, without mapped files, and the most there ever was. 0: not
 * known. */
uint64_t process_resident_bytes(void);
uint64_t process_anonymous_bytes(void);
uint64_t process_resident_bytes_max(void);

/* Wall time at which the process started, microseconds since 1970 UTC. */
int64_t process_start_time_us(void);
