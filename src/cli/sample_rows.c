#include "cli/sample_rows.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

uint64_t sample_random_next(struct sample_random *r)
{
    r->state += 0x9E3779B97F4A7C15u;
    uint64_t z = r->state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

uint64_t sample_random_below(struct sample_random *r, uint64_t bound)
{
    assert(bound > 0);
    return (uint64_t)(((unsigned __int128)sample_random_next(r) * bound) >> 64);
}

bool sample_random_chance(struct sample_random *r, uint32_t percent)
{
    return sample_random_below(r, 100) < percent;
}

/* Each row has random numbers of its own. */
static struct sample_random random_of(const struct sample *s, uint64_t table, uint64_t key,
                                      uint64_t revision)
{
    struct sample_random r = {.state = s->seed};
    r.state = sample_random_next(&r) ^ table;
    r.state = sample_random_next(&r) ^ key;
    r.state = sample_random_next(&r) ^ revision;
    return (struct sample_random){.state = sample_random_next(&r)};
}

void sample_row_release(struct sample_row *r)
{
    buf_release(&r->text);
    *r = (struct sample_row){0};
}

const char *sample_row_field(const struct sample_row *r, uint32_t field)
{
    assert(field < r->field_count);
    return r->forms[field] == SAMPLE_NULL ? NULL : r->text.data + r->offsets[field];
}

void sample_row_append_copy(const struct sample_row *r, struct buf *out)
{
    for (uint32_t i = 0; i < r->field_count; i++) {
        if (i > 0) {
            buf_append_char(out, '\t');
        }
        const char *field = sample_row_field(r, i);
        if (!field) {
            buf_append_text(out, "\\N");
            continue;
        }
        for (const char *p = field; *p; p++) {
            if (*p == '\\' || *p == '\t' || *p == '\n' || *p == '\r') {
                buf_append_char(out, '\\');
            }
            buf_append_char(out, *p);
        }
    }
    buf_append_char(out, '\n');
}

/* The texts have no backslashes, in which the servers differ. */
void sample_row_append_literal(const struct sample_row *r, uint32_t field, bool is_mysql,
                               struct buf *out)
{
    const char *text = sample_row_field(r, field);
    if (!text) {
        buf_append_text(out, "NULL");
    } else if (is_mysql && r->forms[field] == SAMPLE_BOOL) {
        buf_append_text(out, text[0] == 't' ? "TRUE" : "FALSE");
    } else if (is_mysql && r->forms[field] == SAMPLE_UTC) {
        buf_append_format(out, "'%.*s'", (int)(strlen(text) - strlen("+00")), text);
    } else {
        buf_append_literal(out, text);
    }
}

/* Fields: begin, append to out->text, end; or the whole field at once. */

static void row_clear(struct sample_row *out)
{
    buf_clear(&out->text);
    out->field_count = 0;
}

static struct buf *field_begin(struct sample_row *out)
{
    assert(out->field_count < SAMPLE_FIELDS_MAX);
    out->offsets[out->field_count] = out->text.size;
    out->forms[out->field_count] = SAMPLE_PLAIN;
    return &out->text;
}

static void field_end(struct sample_row *out)
{
    buf_append_char(&out->text, '\0');
    out->field_count++;
}

static void add_text(struct sample_row *out, const char *text)
{
    buf_append_text(field_begin(out), text);
    field_end(out);
}

static void add_null(struct sample_row *out)
{
    (void)field_begin(out);
    out->forms[out->field_count] = SAMPLE_NULL;
    field_end(out);
}

static void add_number(struct sample_row *out, uint64_t number)
{
    buf_append_format(field_begin(out), "%" PRIu64, number);
    field_end(out);
}

static void add_cents(struct sample_row *out, uint64_t cents)
{
    buf_append_format(field_begin(out), "%" PRIu64 ".%02" PRIu64, cents / 100, cents % 100);
    field_end(out);
}

static void add_bool(struct sample_row *out, bool value)
{
    add_text(out, value ? "t" : "f");
    out->forms[out->field_count - 1] = SAMPLE_BOOL;
}

static void append_time(struct buf *out, int64_t time_ms)
{
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm tm;
    char text[32];
    (void)gmtime_r(&seconds, &tm);
    (void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
    buf_append_format(out, "%s.%03d", text, (int)(time_ms % 1000));
}

static void add_time(struct sample_row *out, int64_t time_ms)
{
    append_time(field_begin(out), time_ms);
    field_end(out);
}

static void add_timestamptz(struct sample_row *out, int64_t time_ms)
{
    struct buf *field = field_begin(out);
    append_time(field, time_ms);
    buf_append_text(field, "+00");
    field_end(out);
    out->forms[out->field_count - 1] = SAMPLE_UTC;
}

static const char *word_of(struct sample_random *r, struct sample_words words)
{
    return words.items[sample_random_below(r, words.count)];
}

#define WORD_OF(r, list) word_of((r), (struct sample_words){(list), sizeof(list) / sizeof(*(list))})

static void append_pattern(struct buf *out, const char *pattern, struct sample_random *r)
{
    for (const char *p = pattern; *p; p++) {
        if (*p == '#') {
            buf_append_format(out, "%" PRIu64, sample_random_below(r, 10));
        } else {
            buf_append_char(out, *p);
        }
    }
}

static void append_address(struct buf *out, const struct sample_locale *l, struct sample_random *r)
{
    for (const char *p = l->address; *p; p++) {
        if (*p == '#') {
            buf_append_format(out, "%" PRIu64, 1 + sample_random_below(r, 240));
        } else if (*p == '%') {
            buf_append_text(out, word_of(r, l->streets));
        } else {
            buf_append_char(out, *p);
        }
    }
}

/* Times: rows were made between 2019-01-01 and 2025-06-30; changes begin at 2025-10-27. */
static const int64_t first_made_ms = 1546300800000;
static const int64_t last_made_ms = 1751241600000;
static const int64_t first_change_ms = 1761523200000;

static int64_t time_made_ms(struct sample_random *r)
{
    return first_made_ms +
           (int64_t)sample_random_below(r, (uint64_t)(last_made_ms - first_made_ms));
}

static int64_t time_updated_ms(struct sample_random *r, int64_t made_ms, uint64_t revision)
{
    int64_t after_ms = (int64_t)sample_random_below(r, 90LL * 24 * 3600 * 1000);
    return revision > 0 ? first_change_ms + (int64_t)revision * 1000 + after_ms % 1000
                        : made_ms + after_ms;
}

struct person {
    uint32_t first; /* index of the name, to find its Latin form */
    uint32_t last;
};

static struct person random_person(struct sample_random *r, const struct sample_locale *l)
{
    uint32_t first = (uint32_t)sample_random_below(r, l->first_names.count);
    uint32_t last = (uint32_t)sample_random_below(r, l->last_names.count);
    return (struct person){.first = first, .last = last};
}

/* Unique by the key; the domains are reserved for examples (RFC 2606). */
static void add_email(struct sample_row *out, const struct sample_locale *l, struct person p,
                      uint64_t key, struct sample_random *r)
{
    static const char *const domains[] = {"example.com", "example.org", "example.net"};
    struct buf *field = field_begin(out);
    sample_append_folded(field, l->first_latin.count ? l->first_latin.items[p.first]
                                                     : l->first_names.items[p.first]);
    buf_append_char(field, '.');
    sample_append_folded(field, l->last_latin.count ? l->last_latin.items[p.last]
                                                    : l->last_names.items[p.last]);
    buf_append_format(field, "%" PRIu64 "@%s", key, WORD_OF(r, domains));
    field_end(out);
}

static const char *const tiers[] = {"Bronze", "Silver", "Gold", "Platinum"};

/* Half of the customers are Bronze; the tier bounds what a customer is worth. */
static uint32_t random_tier(struct sample_random *r)
{
    uint64_t n = sample_random_below(r, 100);
    return n < 50 ? 0 : n < 80 ? 1 : n < 95 ? 2 : 3;
}

void sample_fill_customer(const struct sample *s, uint64_t key, uint64_t revision,
                          struct sample_row *out)
{
    static const uint64_t tier_cents[] = {50000, 250000, 1000000, 9000000};
    const struct sample_locale *l = s->locale;
    struct sample_random r = random_of(s, 'c', key, revision);
    struct person person = random_person(&r, l);
    const struct sample_city *city = &l->cities[sample_random_below(&r, l->city_count)];

    row_clear(out);
    add_number(out, key);
    add_email(out, l, person, key, &r);
    add_text(out, l->first_names.items[person.first]);
    add_text(out, l->last_names.items[person.last]);
    if (sample_random_chance(&r, 6)) {
        add_null(out);
    } else {
        append_pattern(field_begin(out), l->phone, &r);
        field_end(out);
    }
    append_address(field_begin(out), l, &r);
    field_end(out);
    add_text(out, city->name);
    add_text(out, city->state);
    append_pattern(field_begin(out), city->postal_code, &r);
    field_end(out);
    add_text(out, l->country);
    int64_t made_ms = time_made_ms(&r);
    add_time(out, made_ms);
    add_time(out, time_updated_ms(&r, made_ms, revision));
    add_bool(out, !sample_random_chance(&r, 8));
    uint32_t tier = random_tier(&r);
    add_text(out, tiers[tier]);
    add_cents(out, sample_random_below(&r, tier_cents[tier]));
}

void sample_fill_order(const struct sample *s, uint64_t key, uint64_t revision,
                       struct sample_row *out)
{
    static const char *const states[] = {"pending",   "paid",      "shipped",  "delivered",
                                         "delivered", "delivered", "returned", "cancelled"};
    static const char *const payments[] = {"credit_card", "paypal", "bank_transfer", "invoice"};
    static const char *const notes[] = {"leave at the door", "call before delivery",
                                        "gift wrap, please", "deliver after 5 p.m.\nring twice",
                                        "fragile"};
    struct sample_random r = random_of(s, 'o', key, revision);

    row_clear(out);
    add_number(out, key);
    add_number(out, 1 + sample_random_below(&r, s->row_count));
    add_number(out, 1 + sample_random_below(&r, s->row_count));
    int64_t made_ms = time_made_ms(&r);
    add_time(out, made_ms);
    add_text(out, WORD_OF(&r, states));
    uint64_t quantity = 1 + sample_random_below(&r, 5);
    uint64_t cents = 199 + sample_random_below(&r, 49800);
    add_number(out, quantity);
    add_cents(out, cents);
    add_cents(out, quantity * cents);
    add_text(out, WORD_OF(&r, payments));
    struct buf *address = field_begin(out);
    const struct sample_city *city =
        &s->locale->cities[sample_random_below(&r, s->locale->city_count)];
    append_address(address, s->locale, &r);
    buf_append_format(address, ", %s", city->name);
    field_end(out);
    if (sample_random_chance(&r, 20)) {
        add_text(out, WORD_OF(&r, notes));
    } else {
        add_null(out);
    }
    add_time(out, time_updated_ms(&r, made_ms, revision));
}

static const char *const description_words[] = {
    "light",   "sturdy", "for every day", "made of steel", "easy to clean", "with a warranty",
    "quiet",   "simple", "rechargeable",  "made of oak",   "water-tight",   "with two handles",
    "compact", "soft",   "adjustable",    "washable",      "fits most",     "in five colours",
};

void sample_fill_product(const struct sample *s, uint64_t key, uint64_t revision,
                         struct sample_row *out)
{
    static const char *const kinds[] = {"Lamp",     "Kettle", "Chair", "Backpack", "Headphones",
                                        "Notebook", "Mug",    "Tent",  "Scarf",    "Toolbox"};
    static const char *const styles[] = {"Classic", "Compact", "Nordic", "Urban",
                                         "Trail",   "Studio",  "Eco",    "Prime"};
    static const char *const categories[] = {"Home",    "Kitchen",     "Office",
                                             "Outdoor", "Electronics", "Clothing"};
    struct sample_random r = random_of(s, 'p', key, revision);

    row_clear(out);
    add_number(out, key);
    /* One draw a statement: the order in which arguments are evaluated is the compiler's. */
    const char *style = WORD_OF(&r, styles);
    const char *kind = WORD_OF(&r, kinds);
    buf_append_format(field_begin(out), "%s %s", style, kind);
    field_end(out);
    buf_append_format(field_begin(out), "SKU-%07" PRIu64, key);
    field_end(out);
    add_text(out, WORD_OF(&r, categories));
    add_cents(out, 199 + sample_random_below(&r, 99800));

    /* One in fifty has a long text that does not compress well: PostgreSQL stores it apart (TOAST).
     */
    bool is_long = sample_random_chance(&r, 2);
    uint64_t words = is_long ? 600 : 3 + sample_random_below(&r, 12);
    struct buf *description = field_begin(out);
    for (uint64_t i = 0; i < words; i++) {
        buf_append_text(description, i > 0 ? ", " : "");
        buf_append_text(description, WORD_OF(&r, description_words));
        if (is_long) {
            buf_append_format(description, " %08" PRIx64, sample_random_next(&r) >> 32);
        }
    }
    field_end(out);
    add_bool(out, !sample_random_chance(&r, 5));
    int64_t made_ms = time_made_ms(&r);
    add_time(out, made_ms);
    add_time(out, time_updated_ms(&r, made_ms, revision));
}

void sample_fill_inventory(const struct sample *s, uint64_t key, uint64_t revision,
                           struct sample_row *out)
{
    static const char *const warehouses[] = {"north-1", "north-2", "south-1", "east-1", "west-1"};
    struct sample_random r = random_of(s, 'i', key, revision);

    row_clear(out);
    add_number(out, key);
    add_number(out, 1 + sample_random_below(&r, s->row_count));
    add_text(out, WORD_OF(&r, warehouses));
    add_number(out, sample_random_below(&r, 2000));
    add_number(out, sample_random_below(&r, 100));
    add_number(out, 10 * (1 + sample_random_below(&r, 20)));
    int64_t made_ms = time_made_ms(&r);
    struct buf *restocked = field_begin(out);
    append_time(restocked, made_ms);
    restocked->size -= sizeof(" 00:00:00.000") - 1; /* a date */
    field_end(out);
    add_time(out, time_updated_ms(&r, made_ms, revision));
}

static void add_uuid(struct sample_row *out, struct sample_random *r)
{
    uint64_t high = (sample_random_next(r) & 0xFFFFFFFFFFFF0FFFu) | 0x4000u;
    uint64_t low = (sample_random_next(r) & 0x3FFFFFFFFFFFFFFFu) | 0x8000000000000000u;
    buf_append_format(field_begin(out), "%08x-%04x-%04x-%04x-%012" PRIx64, (unsigned)(high >> 32),
                      (unsigned)(high >> 16 & 0xFFFF), (unsigned)(high & 0xFFFF),
                      (unsigned)(low >> 48), low & 0xFFFFFFFFFFFFu);
    field_end(out);
}

void sample_fill_user(const struct sample *s, uint64_t key, uint64_t revision,
                      struct sample_row *out)
{
    static const char *const themes[] = {"light", "dark", "system"};
    const struct sample_locale *l = s->locale;
    struct sample_random r = random_of(s, 'u', key, revision);
    struct person person = random_person(&r, l);

    row_clear(out);
    add_number(out, key);
    add_uuid(out, &r);
    buf_append_format(field_begin(out), "%s %s", l->first_names.items[person.first],
                      l->last_names.items[person.last]);
    field_end(out);
    add_email(out, l, person, key, &r);
    const char *theme = WORD_OF(&r, themes);
    const char *newsletter = sample_random_chance(&r, 40) ? "true" : "false";
    uint64_t visits = sample_random_below(&r, 5000);
    buf_append_format(field_begin(out),
                      "{\"theme\": \"%s\", \"newsletter\": %s, \"visits\": %" PRIu64 "}", theme,
                      newsletter, visits);
    field_end(out);
    add_bool(out, !sample_random_chance(&r, 10));
    int64_t made_ms = time_made_ms(&r);
    add_timestamptz(out, made_ms);
    add_timestamptz(out, time_updated_ms(&r, made_ms, revision));
}
