/* Row images of the log into rows of a batch (rules: MINIMAL and NOBLOB images lack columns). */
#pragma once

#include "base/attr.h"
#include "base/error.h"
#include "source/collector.h"
#include "source/mysql/event.h"
#include "source/mysql/relation.h"

/* Adds all rows of an event, whose table map is the relation's, to the collector. */
must_check bool my_rows_add(struct collector *c, struct my_relation *r,
                            const struct binlog_event *event, struct error *err);
