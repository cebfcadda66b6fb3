/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernels packed in every way that Linux knows, and damaged ones. */

#include <bzlib.h>
#include <lz4.h>
#include <lzma.h>
#include <lzo/lzo1x.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "elf_file.h"
#include "payload.h"

/* A kernel longer than the unpackers' first buffer, and than a block of LZ4's. */
#define FILE_SIZE (9u << 20)

static GBytes *kernel;

/* Half of it compresses, so that no unpacker takes the length for impossible. */
static void fill(uint8_t *data, size_t size)
{
    uint32_t random = 1;
    size_t i;

    for (i = 0; i < size; i++) {
        random = random * 1664525 + 1013904223;
        data[i] = i % 2 ? 0 : random >> 24;
    }
}

static GBytes *pack_gzip(const uint8_t *data, size_t size)
{
    size_t room = size + 4096;
    uint8_t *out = g_malloc(room);
    z_stream z = { .next_in = (uint8_t *)data, .avail_in = size,
                   .next_out = out, .avail_out = room };

    deflateInit2(&z, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    g_assert_cmpint(deflate(&z, Z_FINISH), ==, Z_STREAM_END);
    deflateEnd(&z);
    return g_bytes_new_take(out, z.total_out);
}

static GBytes *pack_bzip2(const uint8_t *data, size_t size)
{
    unsigned int room = size + 4096;
    char *out = g_malloc(room);

    g_assert_cmpint(BZ2_bzBuffToBuffCompress(out, &room, (char *)data, size, 1,
                                             0, 0), ==, BZ_OK);
    return g_bytes_new_take(out, room);
}

static GBytes *pack_by_lzma(lzma_stream *lz, const uint8_t *data, size_t size)
{
    size_t room = size + 4096;
    uint8_t *out = g_malloc(room);

    lz->next_in = data;
    lz->avail_in = size;
    lz->next_out = out;
    lz->avail_out = room;
    g_assert_cmpint(lzma_code(lz, LZMA_FINISH), ==, LZMA_STREAM_END);
    size = lz->total_out;
    lzma_end(lz);
    return g_bytes_new_take(out, size);
}

static GBytes *pack_xz(const uint8_t *data, size_t size)
{
    lzma_stream lz = LZMA_STREAM_INIT;

    g_assert_cmpint(lzma_easy_encoder(&lz, 0, LZMA_CHECK_CRC32), ==, LZMA_OK);
    return pack_by_lzma(&lz, data, size);
}

static GBytes *pack_lzma(const uint8_t *data, size_t size)
{
    lzma_stream lz = LZMA_STREAM_INIT;
    lzma_options_lzma options;

    lzma_lzma_preset(&options, 0);
    g_assert_cmpint(lzma_alone_encoder(&lz, &options), ==, LZMA_OK);
    return pack_by_lzma(&lz, data, size);
}

static GBytes *pack_zstd(const uint8_t *data, size_t size)
{
    size_t room = ZSTD_compressBound(size);
    uint8_t *out = g_malloc(room);

    size = ZSTD_compress(out, room, data, size, 1);
    g_assert_false(ZSTD_isError(size));
    return g_bytes_new_take(out, size);
}

static void append_number(GByteArray *to, uint64_t number, unsigned int size,
                          bool big)
{
    while (size--) {
        uint8_t byte = number >> (big ? 8 * size : 0);

        g_byte_array_append(to, &byte, 1);
        number >>= big ? 0 : 8;
    }
}

/* As Linux's build has it: of an unknown length, which is behind it. */
static GBytes *pack_zstd_by_linux(const uint8_t *data, size_t size)
{
    GByteArray *out = g_byte_array_sized_new(ZSTD_compressBound(size) + 4);
    ZSTD_CCtx *zstd = ZSTD_createCCtx();
    size_t used;

    ZSTD_CCtx_setParameter(zstd, ZSTD_c_contentSizeFlag, 0);
    g_byte_array_set_size(out, ZSTD_compressBound(size));
    used = ZSTD_compress2(zstd, out->data, out->len, data, size);
    g_assert_false(ZSTD_isError(used));
    ZSTD_freeCCtx(zstd);
    g_byte_array_set_size(out, used);
    append_number(out, size, 4, false);
    return g_byte_array_free_to_bytes(out);
}

/* The legacy frame, and behind it the length, as Linux's build appends it. */
static GBytes *pack_lz4(const uint8_t *data, size_t size)
{
    GByteArray *out = g_byte_array_new();
    g_autofree char *block = g_malloc(LZ4_COMPRESSBOUND(8 << 20));
    size_t at, total = size;

    append_number(out, 0x184c2102, 4, false);
    for (at = 0; at < size; at += 8 << 20) {
        int part = MIN(size - at, 8 << 20);
        int got = LZ4_compress_default((const char *)data + at, block, part,
                                       LZ4_COMPRESSBOUND(8 << 20));

        append_number(out, got, 4, false);
        g_byte_array_append(out, (uint8_t *)block, got);
    }
    append_number(out, total, 4, false);
    return g_byte_array_free_to_bytes(out);
}

/* What lzop 1.04 writes, but for its checksums' values. */
static GBytes *pack_lzo(const uint8_t *data, size_t size)
{
    GByteArray *out = g_byte_array_new();
    g_autofree uint8_t *memory = g_malloc(LZO1X_1_MEM_COMPRESS);
    g_autofree uint8_t *block = g_malloc(512 << 10);
    const unsigned int adlers = 3;
    size_t at;

    g_assert_cmpint(lzo_init(), ==, LZO_E_OK);
    g_byte_array_append(out, (const uint8_t *)"\x89LZO\0\r\n\x1a\n", 9);
    append_number(out, 0x1040, 2, true);
    append_number(out, 0x20a0, 2, true);
    append_number(out, 0x0940, 2, true);
    append_number(out, 1 << 8 | 5, 2, true);
    append_number(out, adlers, 4, true);
    append_number(out, 0100644, 4, true);
    append_number(out, 0, 8, true);
    append_number(out, 0, 1, true);     /* no name */
    append_number(out, 0, 4, true);
    for (at = 0; at < size; at += 256 << 10) {
        lzo_uint part = MIN(size - at, 256 << 10), got;

        lzo1x_1_compress(data + at, part, block, &got, memory);
        append_number(out, part, 4, true);
        append_number(out, MIN(got, part), 4, true);
        append_number(out, 0, got < part ? 8 : 4, true);
        g_byte_array_append(out, got < part ? block : data + at,
                            MIN(got, part));
    }
    append_number(out, 0, 4, true);
    return g_byte_array_free_to_bytes(out);
}

static GBytes *pack_not(const uint8_t *data, size_t size)
{
    return g_bytes_new(data, size);
}

typedef GBytes *(*Pack)(const uint8_t *data, size_t size);

static const struct {
    const char *name;
    Pack pack;
} packings[] = {
    { "gzip", pack_gzip }, { "bzip2", pack_bzip2 }, { "xz", pack_xz },
    { "lzma", pack_lzma }, { "zstd", pack_zstd }, { "lz4", pack_lz4 },
    { "lzo", pack_lzo }, { "none", pack_not },
    { "zstd-by-linux", pack_zstd_by_linux },
};

/* A bzImage's header, with @payload behind 3 + 1 sectors and @offset bytes. */
static GBytes *bzimage(GBytes *payload, uint16_t version, uint32_t offset,
                       uint32_t length)
{
    static uint8_t head[4 * 512 + 64];
    GByteArray *out = g_byte_array_new();

    memset(head, 0, sizeof(head));
    head[0x1f1] = 3;
    head[0x1fe] = 0x55;
    head[0x1ff] = 0xaa;
    memcpy(head + 0x202, "HdrS", 4);
    memcpy(head + 0x206, &version, 2);
    memcpy(head + 0x248, &offset, 4);
    memcpy(head + 0x24c, &length, 4);
    g_byte_array_append(out, head, 4 * 512 + offset);
    g_byte_array_append(out, g_bytes_get_data(payload, NULL),
                        g_bytes_get_size(payload));
    return g_byte_array_free_to_bytes(out);
}

static void test_packing(gconstpointer opaque)
{
    Pack pack = packings[GPOINTER_TO_INT(opaque)].pack;
    size_t size;
    const uint8_t *data = g_bytes_get_data(kernel, &size);
    g_autoptr(GBytes) packed = pack(data, size);
    g_autoptr(GBytes) file = bzimage(packed, 0x20f, 13,
                                     g_bytes_get_size(packed));
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) alone = xen_pv_payload(packed, &error);
    g_autoptr(GBytes) inside = xen_pv_payload(file, &error);

    g_assert_no_error(error);
    g_assert_true(g_bytes_equal(alone, kernel));
    g_assert_true(g_bytes_equal(inside, kernel));
}

/* Cut off, and with each of some bytes changed: an error, or other contents. */
static void test_damaged(gconstpointer opaque)
{
    Pack pack = packings[GPOINTER_TO_INT(opaque)].pack;
    uint8_t small[64] = "\177ELF";
    g_autoptr(GBytes) packed = NULL;
    const uint8_t *data;
    size_t size, i;

    fill(small + 4, sizeof(small) - 4);
    packed = pack(small, sizeof(small));
    data = g_bytes_get_data(packed, &size);

    for (i = 0; i < size; i++) {
        g_autoptr(GBytes) shorter = g_bytes_new(data, i);
        uint8_t *bad = g_memdup2(data, size);
        g_autoptr(GBytes) changed = NULL;
        g_autoptr(GBytes) got = xen_pv_payload(shorter, NULL);
        g_autoptr(GBytes) other = NULL;

        bad[i] ^= 0x55;
        changed = g_bytes_new_take(bad, size);
        other = xen_pv_payload(changed, NULL);
        g_assert_true(!other || g_bytes_get_size(other) <= 1u << 30);
        if (i < 4) {
            g_assert_null(got);
        }
    }
}

static void expect_error(GBytes *file, const char *part)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(xen_pv_payload(file, &error));
    g_assert_nonnull(error);
    g_assert_null(strchr(error->message, '\n'));
    if (!strstr(error->message, part)) {
        g_error("'%s' does not have '%s'", error->message, part);
    }
}

static void test_refused(void)
{
    static const char text[] = "SPDX-License-Identifier: GPL-2.0-or-later";
    g_autoptr(GBytes) no_kernel = g_bytes_new(text, sizeof(text));
    g_autoptr(GBytes) packed = pack_gzip((const uint8_t *)text, sizeof(text));
    g_autoptr(GBytes) half = NULL, old = NULL, cut = NULL, empty = NULL;

    expect_error(no_kernel, "neither an ELF file nor a Linux bzImage");
    expect_error(packed, "packed in it by gzip is no ELF file");
    half = g_bytes_new_from_bytes(packed, 0, 20);
    expect_error(half, "by gzip is damaged");
    old = bzimage(packed, 0x207, 0, g_bytes_get_size(packed));
    expect_error(old, "older boot protocol");
    cut = bzimage(packed, 0x20f, 0, 1 << 20);
    expect_error(cut, "ends before its kernel does");
    empty = bzimage(packed, 0x20f, 0, 0);
    expect_error(empty, "ends before its kernel does");
}

int main(int argc, char **argv)
{
    ElfFile file = linux_like();
    unsigned int i;
    uint8_t *data;
    size_t size;

    g_test_init(&argc, &argv, NULL);
    file.filesz = FILE_SIZE;
    kernel = elf_file(&file);
    data = g_bytes_unref_to_data(kernel, &size);
    fill(data + size / 2, size / 2);
    kernel = g_bytes_new_take(data, size);
    for (i = 0; i < G_N_ELEMENTS(packings); i++) {
        g_autofree char *name =
            g_strdup_printf("/pv/payload/%s", packings[i].name);
        g_autofree char *damaged =
            g_strdup_printf("/pv/payload/damaged/%s", packings[i].name);

        g_test_add_data_func(name, GINT_TO_POINTER(i), test_packing);
        g_test_add_data_func(damaged, GINT_TO_POINTER(i), test_damaged);
    }
    g_test_add_func("/pv/payload/refused", test_refused);
    i = g_test_run();
    g_bytes_unref(kernel);
    return i;
}
