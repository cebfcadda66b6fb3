/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How full a cage is, and how long its threads can be expected to wait.
 *
 * Sakasegawa's formula for a queue with c servers, each busy r of the time:
 * r^sqrt(2(c+1)) / (1-r) customers wait on average.  That is how many seconds
 * are waited in a second.  A load is measured with the waiting in it, so it is
 * what is used, r*c, and what waits together; place_wait() looks for the r that
 * makes this load.
 */

#include "model.h"

/* -log2(i/64) in 1/1024. */
static const uint16_t log2_64[65] = {
    0xffff, 6144, 5120, 4521, 4096, 3766, 3497, 3269, 3072, 2898, 2742,
    2601,   2473, 2355, 2245, 2143, 2048, 1958, 1874, 1794, 1718, 1646,
    1577,   1512, 1449, 1389, 1331, 1275, 1221, 1170, 1119, 1071, 1024,
    979,    934,  892,  850,  809,  770,  732,  694,  658,  622,  587,
    554,    520,  488,  456,  425,  394,  365,  335,  307,  279,  251,
    224,    197,  171,  145,  120,  95,   71,   47,   23,   0,
};

/* 2^(-i/16) in 1/65536. */
static const uint32_t exp2_16[17] = {
    65536, 62757, 60097, 57549, 55109, 52773, 50535, 48393, 46341,
    44376, 42495, 40693, 38968, 37316, 35734, 34219, 32768,
};

uint32_t place_isqrt(uint64_t n)
{
    uint64_t root = 0, bit = UINT64_C(1) << 62;

    while (bit > n) {
        bit >>= 2;
    }
    for (; bit; bit >>= 2) {
        if (n >= root + bit) {
            n -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return (uint32_t)root;
}

/* @step of 64 of the capacity are used; in microseconds a second. */
static uint64_t wait_at(uint32_t step, uint32_t power)
{
    /* The exponent in 1/1024, split into whole and sixteenths. */
    uint64_t exponent = (uint64_t)log2_64[step] * power / 1024;
    uint32_t whole = (uint32_t)(exponent / 1024), part = exponent % 1024;
    uint64_t low, high, value;

    if (!step || whole > 31) {
        return 0;
    }
    low = exp2_16[part / 64];
    high = exp2_16[part / 64 + 1];
    value = (low * (64 - part % 64) + high * (part % 64)) / 64;
    return ((value * 1000000) >> (whole + 16)) * 64 / (64 - step);
}

uint32_t place_wait(uint32_t load, uint32_t capacity)
{
    /* sqrt(2(c+1)) in 1/1024. */
    uint32_t power = place_isqrt(((uint64_t)capacity + 1024) * 2 * 1024);
    uint64_t wanted = (uint64_t)load * 1000000 / 1024;
    uint64_t all = (uint64_t)capacity * 1000000 / 1024;
    uint64_t low = 0, high, low_wait = 0, high_wait = 0, wait;
    uint32_t step = 0, above = 64, middle;

    /* The load lies between that of @step and that of @above. */
    high = UINT64_MAX;
    while (above - step > 1) {
        middle = (step + above) / 2;
        wait = wait_at(middle, power);
        if (wanted < all * middle / 64 + wait) {
            above = middle;
            high = all * middle / 64 + wait;
            high_wait = wait;
        } else {
            step = middle;
            low = all * middle / 64 + wait;
            low_wait = wait;
        }
    }
    if (above == 64) {
        /* Nearly all is used: what is above that, waits. */
        wait = wanted - all * 63 / 64;
    } else {
        wait =
            low_wait + (high_wait - low_wait) * (wanted - low) / (high - low);
    }
    return wait > UINT32_MAX ? UINT32_MAX : (uint32_t)wait;
}

uint32_t place_load(const struct place_host *h, uint32_t cage)
{
    const struct cage *c = &h->cage[cage];
    uint64_t load = 0;
    uint32_t i;

    for (i = 0; i < c->nr_llcs; i++) {
        const struct llc *llc = &h->llc[h->cage_llc[c->llcs + i]];

        load += llc->load + llc->others;
    }
    return (uint32_t)(load >> 10);
}

void place_others(struct place_host *h, uint32_t llc, uint32_t load)
{
    h->llc[llc].others = (uint64_t)load << 10;
    place_room(h);
}

/* Which cages have room. */
void place_room(struct place_host *h)
{
    uint32_t i;

    for (i = 0; i < h->nr_cages; i++) {
        const struct cage *c = &h->cage[i];

        if (c->nr_active && (uint64_t)place_load(h, i) * PLACE_ONE <
                                (uint64_t)c->capacity * ROOM_BELOW) {
            bit_set(h->under, i);
        } else {
            bit_clear(h->under, i);
        }
    }
}
