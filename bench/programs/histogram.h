/* Times, in buckets none of which is wider than 1.6 % of what it holds. */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include "common.h"

enum { SUBDIVISIONS = 64, BUCKETS = SUBDIVISIONS * 60 };

struct histogram {
    uint64_t count, largest;
    uint64_t buckets[BUCKETS];
};

static inline void histogram_add(struct histogram *h, uint64_t ns) {
    uint64_t unit = ns / 100, index = unit; /* tenths of a microsecond */
    if (unit >= 2 * SUBDIVISIONS) {
        int shift = 63 - __builtin_clzll(unit) - 6;
        index = (uint64_t)(shift + 1) * SUBDIVISIONS + (unit >> shift) - SUBDIVISIONS;
    }
    h->buckets[index < BUCKETS ? index : BUCKETS - 1]++;
    h->count++;
    if (ns > h->largest) h->largest = ns;
}

/* Milliseconds below which that share of all times lies. */
static inline double histogram_ms(const struct histogram *h, double share) {
    uint64_t wanted = (uint64_t)((double)h->count * share), seen = 0;
    for (uint64_t index = 0; index < BUCKETS; index++) {
        seen += h->buckets[index];
        if (seen > wanted) {
            uint64_t unit = index;
            if (index >= 2 * SUBDIVISIONS) {
                uint64_t shift = index / SUBDIVISIONS - 1;
                unit = (index % SUBDIVISIONS + SUBDIVISIONS) << shift;
            }
            return (double)unit / 10000.0;
        }
    }
    return (double)h->largest / 1e6;
}

#endif
