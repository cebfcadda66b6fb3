/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sequences of hypercalls, events and hostile writes, made from bytes. */

#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "guest.h"

#define FUZZ_DOMAINS 4

/* The rest of the input; zeros after its end. */
struct input {
    const uint8_t *data;
    size_t size;
};

struct fuzz {
    struct world *world;
    struct guest *g[FUZZ_DOMAINS];
    struct input in;
    bool racing;            /* another thread writes to guest memory */
};

/* If @cond is false, abort, so that the fuzzer keeps the input. */
#define FUZZ_CHECK(cond)                                                \
    do {                                                                \
        if (!(cond)) {                                                  \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);  \
            abort();                                                    \
        }                                                               \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline uint8_t get8(struct input *in)
{
    return in->size ? in->size--, *in->data++ : 0;
}

static inline uint16_t get16(struct input *in)
{
    uint16_t low = get8(in);

    return low | get8(in) << 8;
}

static inline uint32_t get32(struct input *in)
{
    uint32_t low = get16(in);

    return low | (uint32_t)get16(in) << 16;
}

static inline uint64_t get64(struct input *in)
{
    uint64_t low = get32(in);

    return low | (uint64_t)get32(in) << 32;
}

/* Create the domains, in the same way for the same @flavour. */
void fuzz_create(struct guest **g, struct world *w, uint8_t flavour);
void fuzz_destroy(struct guest **g, struct world *w);

/* fuzz_check.c: check what must hold between any two operations. */
void fuzz_check_all(struct guest **g);

/* fuzz_state.c */
void fuzz_save_and_load(struct fuzz *f, uint8_t flavour);
void fuzz_load_anything(struct fuzz *f, uint8_t flavour);

#endif /* FUZZ_H */
