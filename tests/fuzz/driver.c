/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs the fuzzer's inputs without libFuzzer, for any compiler:
 *   fuzz-replay FILE ...            run these inputs
 *   fuzz-replay --random SECONDS    run random ones, always the same sequence
 */

#include <string.h>
#include <time.h>

#include "fuzz.h"

#define MAX_INPUT 4096

static void replay(const char *name)
{
    static uint8_t data[1 << 20];
    FILE *f = fopen(name, "rb");
    size_t size;

    if (!f) {
        perror(name);
        exit(2);
    }
    size = fread(data, 1, sizeof(data), f);
    fclose(f);
    LLVMFuzzerTestOneInput(data, size);
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Writes the input to a file, which is left there after a crash. */
static void keep(const uint8_t *data, size_t size)
{
    FILE *f = fopen("fuzz-replay.input", "wb");

    if (f) {
        fwrite(data, 1, size, f);
        fclose(f);
    }
}

static void run_random(unsigned int seconds)
{
    static uint8_t data[MAX_INPUT];
    uint64_t state = 0x9e3779b97f4a7c15ull;
    unsigned long runs = 0;
    time_t end = time(NULL) + seconds;

    while (time(NULL) < end) {
        size_t size = 16 + next_random(&state) % (MAX_INPUT - 16);

        for (size_t i = 0; i < size; i++) {
            data[i] = next_random(&state) >> 32;
        }
        keep(data, size);
        LLVMFuzzerTestOneInput(data, size);
        runs++;
    }
    remove("fuzz-replay.input");
    printf("%lu random inputs, nothing found\n", runs);
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "--random")) {
        run_random(atoi(argv[2]));
        return 0;
    }
    if (argc < 2 || argv[1][0] == '-') {
        fprintf(stderr, "usage: fuzz-replay FILE ... | --random SECONDS\n");
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        replay(argv[i]);
    }
    printf("%d inputs, nothing found\n", argc - 1);
    return 0;
}
