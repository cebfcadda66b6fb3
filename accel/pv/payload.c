/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unpacking a kernel: bzImage headers, and a function for each kind of packing.
 *
 * The file is the user's, but may have come from a guest's disk: all lengths in it
 * are checked, and the result is limited to MAX_UNPACKED.
 */

#include <bzlib.h>
#include <lz4.h>
#include <lzma.h>
#include <lzo/lzo1x.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "payload.h"

#define MAX_UNPACKED (1u << 30)

/* struct setup_header of Linux's boot protocol. */
#define SETUP_SECTS         0x1f1
#define SETUP_BOOT_FLAG     0x1fe
#define SETUP_MAGIC         0x202
#define SETUP_VERSION       0x206
#define SETUP_PAYLOAD       0x248
#define SETUP_SIZE          0x250
#define SECTOR              512

GQuark xen_pv_error_quark(void)
{
    return g_quark_from_static_string("xen-pv-error");
}

static uint64_t number_at(const uint8_t *bytes, unsigned int size, bool big)
{
    uint64_t number = 0;
    unsigned int i;

    for (i = 0; i < size; i++) {
        number |= (uint64_t)bytes[i] << 8 * (big ? size - 1 - i : i);
    }
    return number;
}

/* What an unpacker has to write, and how much room there is. */
typedef struct Output {
    uint8_t *data;
    size_t used, size;
} Output;

/*
 * gzip's format, and Linux in a bzImage's payload, have the unpacked length in the last 4 bytes.
 * In other files these are anything: it is no more than a hint, which spares moving
 * the buffer as it grows.  An unpacker comes to its end with a little room left.
 */
static void make_room(Output *out, const uint8_t *in, size_t size)
{
    enum { MAX_RATIO = 32, LEFT = 64 };
    uint64_t length = size < 4 ? 0 : number_at(in + size - 4, 4, false) + LEFT;

    if (length && length <= MAX_UNPACKED && length / MAX_RATIO <= size) {
        out->data = g_try_malloc(length);
        out->size = out->data ? length : 0;
    }
}

/* Room for more; false at the limit. */
static bool grow(Output *out)
{
    if (out->size >= MAX_UNPACKED) {
        return false;
    }
    out->size = out->size ? MIN(out->size * 2, MAX_UNPACKED) : 1u << 20;
    out->data = g_realloc(out->data, out->size);
    return true;
}

/*
 * Each unpacks all of @in, ignoring what is behind the packed data, as Linux has
 * the length there.  False if it is damaged, or too long.
 */
static bool unpack_gzip(const uint8_t *in, size_t size, Output *out)
{
    z_stream z = { .next_in = (uint8_t *)in, .avail_in = size };
    int ret = inflateInit2(&z, 16 + MAX_WBITS);

    while (ret == Z_OK && (out->used < out->size || grow(out))) {
        z.next_out = out->data + out->used;
        z.avail_out = out->size - out->used;
        ret = inflate(&z, Z_NO_FLUSH);
        out->used = out->size - z.avail_out;
    }
    inflateEnd(&z);
    return ret == Z_STREAM_END;
}

static bool unpack_bzip2(const uint8_t *in, size_t size, Output *out)
{
    bz_stream bz = { .next_in = (char *)in, .avail_in = size };
    int ret = BZ2_bzDecompressInit(&bz, 0, 0);

    while (ret == BZ_OK && (out->used < out->size || grow(out))) {
        unsigned int left = bz.avail_in;

        bz.next_out = (char *)out->data + out->used;
        bz.avail_out = out->size - out->used;
        ret = BZ2_bzDecompress(&bz);
        if (ret == BZ_OK && left == bz.avail_in &&
            out->used == out->size - bz.avail_out) {
            break;      /* it ends too early */
        }
        out->used = out->size - bz.avail_out;
    }
    BZ2_bzDecompressEnd(&bz);
    return ret == BZ_STREAM_END;
}

static bool unpack_lzma_stream(lzma_stream *lz, const uint8_t *in, size_t size,
                               Output *out)
{
    lzma_ret ret = LZMA_OK;

    lz->next_in = in;
    lz->avail_in = size;
    while (ret == LZMA_OK && (out->used < out->size || grow(out))) {
        lz->next_out = out->data + out->used;
        lz->avail_out = out->size - out->used;
        ret = lzma_code(lz, LZMA_RUN);
        out->used = out->size - lz->avail_out;
    }
    lzma_end(lz);
    return ret == LZMA_STREAM_END;
}

static bool unpack_xz(const uint8_t *in, size_t size, Output *out)
{
    lzma_stream lz = LZMA_STREAM_INIT;

    return lzma_stream_decoder(&lz, UINT64_MAX, 0) == LZMA_OK &&
           unpack_lzma_stream(&lz, in, size, out);
}

static bool unpack_lzma(const uint8_t *in, size_t size, Output *out)
{
    lzma_stream lz = LZMA_STREAM_INIT;

    return lzma_alone_decoder(&lz, UINT64_MAX) == LZMA_OK &&
           unpack_lzma_stream(&lz, in, size, out);
}

/*
 * Where there is room for all, in one go: a stream unpacks into a window of its own, and
 * copies from there.
 */
static bool unpack_zstd_whole(const uint8_t *in, size_t size, Output *out)
{
    size_t frame = ZSTD_findFrameCompressedSize(in, size), got;

    if (!out->size || ZSTD_isError(frame)) {
        return false;
    }
    got = ZSTD_decompress(out->data, out->size, in, frame);
    out->used = ZSTD_isError(got) ? 0 : got;
    return out->used;
}

static bool unpack_zstd(const uint8_t *in, size_t size, Output *out)
{
    ZSTD_DStream *zstd;
    ZSTD_inBuffer from = { .src = in, .size = size };
    size_t ret = 1;

    if (unpack_zstd_whole(in, size, out)) {
        return true;
    }
    zstd = ZSTD_createDStream();
    /* Linux packs with a window of up to 128 MiB. */
    ZSTD_DCtx_setParameter(zstd, ZSTD_d_windowLogMax, 27);
    while (ret && !ZSTD_isError(ret) &&
           (out->used < out->size || grow(out))) {
        ZSTD_outBuffer to = { .dst = out->data, .size = out->size,
                              .pos = out->used };
        size_t before = from.pos;

        ret = ZSTD_decompressStream(zstd, &to, &from);
        if (ret && before == from.pos && out->used == to.pos) {
            break;      /* it ends too early */
        }
        out->used = to.pos;
    }
    ZSTD_freeDStream(zstd);
    return !ret;
}

/* LZ4's legacy frames: a magic number, and blocks of at most 8 MiB. */
static bool unpack_lz4(const uint8_t *in, size_t size, Output *out)
{
    enum { MAGIC = 0x184c2102, BLOCK = 8 << 20 };
    size_t at = 4;

    while (size - at >= 4) {
        uint32_t block = number_at(in + at, 4, false);
        int got;

        at += 4;
        if (block == MAGIC) {
            continue;
        }
        if (block > size - at || !block) {
            /* Linux's build appends the length of what is packed. */
            return size - at == 0 && out->used;
        }
        while (out->size - out->used < BLOCK) {
            if (!grow(out)) {
                return false;
            }
        }
        got = LZ4_decompress_safe((const char *)in + at,
                                  (char *)out->data + out->used, block, BLOCK);
        if (got < 0) {
            return false;
        }
        out->used += got;
        at += block;
    }
    return out->used;
}

/* An lzop file: a header of variable length, and blocks. */
static bool unpack_lzo(const uint8_t *in, size_t size, Output *out)
{
    enum { FILTER = 0x800, MAX_BLOCK = 64 << 20,
           ADLER_UNPACKED = 1, ADLER_PACKED = 2, CRC_UNPACKED = 0x100,
           CRC_PACKED = 0x200, EXTRA_FIELD = 0x40 };
    size_t at = 9;
    uint32_t flags;
    unsigned int version;

    if (size < 64 || lzo_init() != LZO_E_OK) {
        return false;
    }
    version = number_at(in + at, 2, true);
    at += 2 + 2;                        /* this and the library's version */
    at += version >= 0x940 ? 2 + 1 + 1 : 1; /* needed version, method, level */
    flags = number_at(in + at, 4, true);
    at += 4 + 4 + 4 + (version >= 0x940 ? 4 : 0); /* flags, mode, mtime */
    if (flags & FILTER) {
        return false;
    }
    at += 1 + in[at] + 4;               /* name, checksum */
    if (flags & EXTRA_FIELD) {
        return false;
    }
    while (at <= size && size - at >= 4) {
        uint32_t unpacked = number_at(in + at, 4, true), packed;
        lzo_uint got;

        at += 4;
        if (!unpacked) {
            return true;
        }
        if (size - at < 4 || unpacked > MAX_BLOCK) {
            return false;
        }
        packed = number_at(in + at, 4, true);
        at += 4;
        at += flags & ADLER_UNPACKED ? 4 : 0;
        at += flags & CRC_UNPACKED ? 4 : 0;
        if (packed < unpacked) {
            at += flags & ADLER_PACKED ? 4 : 0;
            at += flags & CRC_PACKED ? 4 : 0;
        }
        if (at > size || packed > size - at || packed > unpacked) {
            return false;
        }
        while (out->size - out->used < unpacked) {
            if (!grow(out)) {
                return false;
            }
        }
        got = unpacked;
        if (packed == unpacked) {
            memcpy(out->data + out->used, in + at, unpacked);
        } else if (lzo1x_decompress_safe(in + at, packed,
                                         out->data + out->used, &got,
                                         NULL) != LZO_E_OK ||
                   got != unpacked) {
            return false;
        }
        out->used += unpacked;
        at += packed;
    }
    return false;
}

static const struct {
    const char *name, *magic;
    size_t magic_size;
    bool (*unpack)(const uint8_t *in, size_t size, Output *out);
} packings[] = {
    { "gzip", "\x1f\x8b", 2, unpack_gzip },
    { "bzip2", "BZh", 3, unpack_bzip2 },
    { "xz", "\xfd" "7zXZ", 6, unpack_xz },
    { "lzma", "\x5d\0\0", 3, unpack_lzma },
    { "zstd", "\x28\xb5\x2f\xfd", 4, unpack_zstd },
    { "lz4", "\x02\x21\x4c\x18", 4, unpack_lz4 },
    { "lzo", "\x89LZO\0\r\n\x1a\n", 9, unpack_lzo },
};

static bool is_elf(const uint8_t *data, size_t size)
{
    return size >= 4 && !memcmp(data, "\177ELF", 4);
}

static GBytes *unpack(GBytes *packed, GError **error)
{
    size_t size, i;
    const uint8_t *data = g_bytes_get_data(packed, &size);

    if (is_elf(data, size)) {
        /* Its structures are aligned within it. */
        return (uintptr_t)data % 8 ? g_bytes_new(data, size) :
                                     g_bytes_ref(packed);
    }
    for (i = 0; i < G_N_ELEMENTS(packings); i++) {
        Output out = { 0 };

        if (size < packings[i].magic_size ||
            memcmp(data, packings[i].magic, packings[i].magic_size)) {
            continue;
        }
        make_room(&out, data, size);
        if (!packings[i].unpack(data, size, &out)) {
            g_set_error(error, XEN_PV_ERROR, 0,
                        "what is packed in it by %s is damaged, or longer than "
                        "%u MiB", packings[i].name, MAX_UNPACKED >> 20);
            g_free(out.data);
            return NULL;
        }
        if (!is_elf(out.data, out.used)) {
            g_set_error(error, XEN_PV_ERROR, 0,
                        "what is packed in it by %s is no ELF file",
                        packings[i].name);
            g_free(out.data);
            return NULL;
        }
        return g_bytes_new_take(out.data, out.used);
    }
    g_set_error(error, XEN_PV_ERROR, 0,
                "it is neither an ELF file nor a Linux bzImage, packed or not");
    return NULL;
}

GBytes *xen_pv_payload(GBytes *file, GError **error)
{
    size_t size;
    const uint8_t *data = g_bytes_get_data(file, &size);
    g_autoptr(GBytes) payload = NULL;
    uint64_t offset, length;

    if (size < SETUP_SIZE || memcmp(data + SETUP_MAGIC, "HdrS", 4) ||
        number_at(data + SETUP_BOOT_FLAG, 2, false) != 0xaa55) {
        return unpack(file, error);
    }
    if (number_at(data + SETUP_VERSION, 2, false) < 0x208) {
        g_set_error(error, XEN_PV_ERROR, 0,
                    "it is a bzImage of an older boot protocol than 2.08, "
                    "which does not say where its kernel is");
        return NULL;
    }
    offset = (data[SETUP_SECTS] ?: 4) * SECTOR + SECTOR +
             number_at(data + SETUP_PAYLOAD, 4, false);
    length = number_at(data + SETUP_PAYLOAD + 4, 4, false);
    if (offset > size || length > size - offset || !length) {
        g_set_error(error, XEN_PV_ERROR, 0,
                    "it is a bzImage that ends before its kernel does: copy it "
                    "again");
        return NULL;
    }
    payload = g_bytes_new_from_bytes(file, offset, length);
    return unpack(payload, error);
}
