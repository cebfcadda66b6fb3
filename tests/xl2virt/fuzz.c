/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes xl2virt.  The input is the file, and its size chooses the options.  Whatever it
 * says, it is either refused with at least one error, or it becomes a domain; from an
 * xl.cfg that domain passes libvirt's schema, if XL2VIRT_SCHEMA names it.
 */

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/relaxng.h>

#include "conversion.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void quiet(void *opaque, const char *format, ...)
{
    (void)opaque;
    (void)format;
}

static void print(void *opaque, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(opaque, format, args);
    va_end(args);
}

static void check_schema(xmlDocPtr doc)
{
    static xmlRelaxNGPtr schema;
    const char *path = getenv("XL2VIRT_SCHEMA");
    xmlRelaxNGValidCtxtPtr valid;

    if (!path) {
        return;
    }
    if (!schema) {
        schema = xmlRelaxNGParse(xmlRelaxNGNewParserCtxt(path));
        g_assert(schema);
    }
    valid = xmlRelaxNGNewValidCtxt(schema);
    xmlRelaxNGSetValidErrors(valid, quiet, quiet, NULL);
    if (xmlRelaxNGValidateDoc(valid, doc)) {
        xmlRelaxNGSetValidErrors(valid, print, print, stderr);
        xmlRelaxNGValidateDoc(valid, doc);
        xmlDocFormatDump(stderr, doc, 1);
        abort();
    }
    xmlRelaxNGFreeValidCtxt(valid);
}

static gboolean is_xl_cfg(const char *text, size_t size)
{
    while (size && strchr(" \t\r\n", *text)) {
        text++;
        size--;
    }
    return !size || g_ascii_isalpha(*text) || *text == '#';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Options options = {
        .file = "input",
        .type = size & 1 ? "qemu" : "kvm",
        .emulator = DEFAULT_EMULATOR,
        .stock = (size & 2) != 0,
    };
    unsigned int errors = 0;
    char *text;
    Conversion c;

    /* Of its own size, so that ASan sees each byte beyond it. */
    text = malloc(size ? size : 1);
    if (size) {
        memcpy(text, data, size);
    }
    conversion_init(&c, &options);
    if (conversion_run(&c, text, size)) {
        g_assert(c.doc);
        if (is_xl_cfg(text, size)) {
            check_schema(c.doc);
        }
    }
    for (unsigned int i = 0; i < c.messages->len; i++) {
        const char *message = g_ptr_array_index(c.messages, i);

        g_assert(!strchr(message, '\n'));
        errors += !g_regex_match_simple("^xl2virt: input(:[0-9]+)?: warning: ",
                                        message, 0, 0);
    }
    g_assert(!c.errors || errors);
    conversion_free(&c);
    free(text);
    return 0;
}
