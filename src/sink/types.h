/* The kinds of sinks; registry.c lists them. */
#pragma once

#include "sink/sink.h"

extern const struct sink_type delta_sink;
extern const struct sink_type iceberg_sink;
extern const struct sink_type stdout_sink;
