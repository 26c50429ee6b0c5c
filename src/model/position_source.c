#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "model/position_set.h"

/* What is interned is shared by all threads and stays until the process ends: positions are plain
 * values, so nobody knows when the last one goes. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct map sources; /* struct position_source, by their parts as bytes */
static struct map rests;   /* struct position_rest, by their intervals as bytes */

static bool tag_is_valid(struct str tag)
{
    if (tag.size > POSITION_TAG_MAX) {
        return false;
    }
    for (size_t i = 0; i < tag.size; i++) {
        char c = tag.data[i];
        bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!is_word && (i == 0 || c < '0' || c > '9')) {
            return false;
        }
    }
    return true;
}

static const struct position_source *intern_source(const struct position_source *wanted,
                                                   struct str key)
{
    (void)pthread_mutex_lock(&lock);
    struct position_source *s = map_get(&sources, key);
    if (!s) {
        s = malloc(sizeof(*s));
        if (!s) {
            abort();
        }
        *s = *wanted;
        (void)map_put(&sources, key, s);
    }
    (void)pthread_mutex_unlock(&lock);
    return s;
}

const struct position_source *position_source_mysql(const uint8_t uuid[16], struct str tag)
{
    if (!tag_is_valid(tag)) {
        return NULL;
    }
    struct position_source s = {0};
    char key[1 + sizeof(s.uuid) + POSITION_TAG_MAX] = {'u'};
    memcpy(s.uuid, uuid, sizeof(s.uuid));
    memcpy(key + 1, uuid, sizeof(s.uuid));
    for (size_t i = 0; i < tag.size; i++) {
        char c = tag.data[i];
        s.tag[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
        key[1 + sizeof(s.uuid) + i] = s.tag[i];
    }
    return intern_source(&s, (struct str){key, 1 + sizeof(s.uuid) + tag.size});
}

const struct position_source *position_source_mariadb(uint32_t domain)
{
    struct position_source s = {.is_mariadb = true, .domain = domain};
    char key[1 + sizeof(domain)] = {'d'};
    memcpy(key + 1, &domain, sizeof(domain));
    return intern_source(&s, (struct str){key, sizeof(key)});
}

struct position_source_parts position_source_parts(const struct position_source *s)
{
    struct position_source_parts parts = {
        .is_mariadb = s->is_mariadb, .tag = s->tag, .domain = s->domain};
    memcpy(parts.uuid, s->uuid, sizeof(parts.uuid));
    return parts;
}

int position_source_order(const struct position_source *a, const struct position_source *b)
{
    if (a == b) {
        return 0;
    }
    if (a->is_mariadb != b->is_mariadb) {
        return a->is_mariadb ? 1 : -1;
    }
    if (a->is_mariadb) {
        return a->domain < b->domain ? -1 : 1;
    }
    int order = memcmp(a->uuid, b->uuid, sizeof(a->uuid));
    return order ? order : strcmp(a->tag, b->tag);
}

const struct position_rest *position_rest_of(const struct position_interval *items, size_t count)
{
    if (count == 0) {
        return NULL;
    }
    struct position_rest *r = calloc(1, sizeof(*r) + count * sizeof(*items));
    if (!r) {
        abort();
    }
    r->count = count;
    for (size_t i = 0; i < count; i++) {
        /* One by one: what pads an interval must be zero, since its bytes are the key. */
        r->items[i].source = items[i].source;
        r->items[i].first = items[i].first;
        r->items[i].last = items[i].last;
        r->items[i].server = items[i].server;
    }
    struct str key = {(const char *)r->items, count * sizeof(*items)};
    (void)pthread_mutex_lock(&lock);
    struct position_rest *known = map_get(&rests, key);
    if (known) {
        free(r);
    } else {
        known = r;
        (void)map_put(&rests, key, r);
    }
    (void)pthread_mutex_unlock(&lock);
    return known;
}

size_t position_rest_count(void)
{
    (void)pthread_mutex_lock(&lock);
    size_t count = rests.count;
    (void)pthread_mutex_unlock(&lock);
    return count;
}

void position_forget_all(void)
{
    (void)pthread_mutex_lock(&lock);
    map_release(&rests, free);
    map_release(&sources, free);
    (void)pthread_mutex_unlock(&lock);
}
