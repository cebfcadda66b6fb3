/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xl2virt: from a Xen guest's configuration to a libvirt domain for xenkvm.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxml/parser.h>

#include "conversion.h"

/* Exit statuses; the manual page has them, too. */
enum {
    STATUS_REFUSED = 1, /* the file says what cannot be converted */
    STATUS_USAGE = 2,
    STATUS_FILE = 3, /* no file could be read, or written */
};

static gboolean check, keys, stock;
static char *type, *emulator, *output;

static const GOptionEntry entries[] = {
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &output,
      "Write to FILE, whole or not at all, instead of to standard output",
      "FILE" },
    { "check", 0, 0, G_OPTION_ARG_NONE, &check,
      "Print what becomes of each key of the file, and write no XML", NULL },
    { "stock", 0, 0, G_OPTION_ARG_NONE, &stock,
      "For a libvirt without xenkvm's patches", NULL },
    { "type", 0, 0, G_OPTION_ARG_STRING, &type,
      "The domain's type: kvm (the default), or qemu for a host without KVM",
      "TYPE" },
    { "emulator", 0, 0, G_OPTION_ARG_FILENAME, &emulator,
      "xenkvm's QEMU, if it is not " DEFAULT_EMULATOR, "PATH" },
    { "keys", 0, 0, G_OPTION_ARG_NONE, &keys,
      "Print the tables of all keys, in Markdown", NULL },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
};

static int fail(int status, const char *format, ...) G_GNUC_PRINTF(2, 3);
static int fail(int status, const char *format, ...)
{
    va_list args;

    fputs("xl2virt: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return status;
}

/* Reads at most one byte more than the limit, from a pipe, too. */
static char *read_all(FILE *file, size_t *length)
{
    char *text = g_malloc(MAX_FILE + 1);

    *length = fread(text, 1, MAX_FILE + 1, file);
    if (ferror(file)) {
        g_free(text);
        return NULL;
    }
    return text;
}

static int write_xml(const Conversion *c)
{
    g_autoptr(GError) error = NULL;
    gboolean is_written;
    xmlChar *xml;
    int size;

    xmlKeepBlanksDefault(0);
    xmlIndentTreeOutput = 1;
    xmlDocDumpFormatMemoryEnc(c->doc, &xml, &size, "UTF-8", 1);
    if (output) {
        /* It writes to a new file, and renames that. */
        is_written =
            g_file_set_contents(output, (const char *)xml, size, &error);
    } else {
        is_written = fwrite(xml, 1, size, stdout) == (size_t)size &&
                     !fflush(stdout);
    }
    xmlFree(xml);
    if (!is_written) {
        return fail(STATUS_FILE, "%s: %s", output ? output : "standard output",
                    error ? error->message : strerror(errno));
    }
    return 0;
}

static int convert(const Options *options, const char *text, size_t length)
{
    gboolean is_good;
    int status;
    Conversion c;

    conversion_init(&c, options);
    is_good = conversion_run(&c, text, length);
    if (check) {
        print_rows(&c);
    }
    for (unsigned int i = 0; i < c.messages->len; i++) {
        fprintf(stderr, "%s\n", (char *)g_ptr_array_index(c.messages, i));
    }
    if (!is_good) {
        status = STATUS_REFUSED;
    } else {
        status = check ? 0 : write_xml(&c);
    }
    conversion_free(&c);
    return status;
}

static gboolean parse_options(int *argc, char ***argv, GError **error)
{
    g_autoptr(GOptionContext) context = g_option_context_new("[FILE]");

    g_option_context_set_summary(
        context,
        "Reads an xl.cfg, or a domain XML of libxl (virsh dumpxml on the old "
        "host),\nfrom FILE or standard input, and writes a domain XML for "
        "xenkvm and libvirt's\nQEMU driver. See xl2virt(1).");
    g_option_context_add_main_entries(context, entries, NULL);
    return g_option_context_parse(context, argc, argv, error);
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    Options options;
    size_t length;
    FILE *file = stdin;

    if (!parse_options(&argc, &argv, &error)) {
        return fail(STATUS_USAGE, "%s: see --help", error->message);
    }
    if (keys) {
        print_tables();
        return 0;
    }
    if (argc > 2) {
        return fail(STATUS_USAGE, "more than one file: see --help");
    }
    options.file = argc > 1 && strcmp(argv[1], "-") ? argv[1] : "standard input";
    options.type = type ? type : "kvm";
    options.emulator = emulator ? emulator : DEFAULT_EMULATOR;
    options.stock = stock;
    if (strcmp(options.type, "kvm") && strcmp(options.type, "qemu")) {
        return fail(STATUS_USAGE, "--type: '%s' is none of: kvm, qemu",
                    options.type);
    }
    if (*options.emulator != '/') {
        return fail(STATUS_USAGE, "--emulator: '%s' is not an absolute path",
                    options.emulator);
    }
    if (argc > 1 && strcmp(argv[1], "-")) {
        file = fopen(argv[1], "r");
        if (!file) {
            return fail(STATUS_FILE, "%s: %s", argv[1], strerror(errno));
        }
    } else if (isatty(STDIN_FILENO)) {
        return fail(STATUS_USAGE, "no file: see --help");
    }
    text = read_all(file, &length);
    if (!text) {
        return fail(STATUS_FILE, "%s: %s", options.file, strerror(errno));
    }
    if (length > MAX_FILE) {
        return fail(STATUS_REFUSED, "%s: longer than 1 MiB: no such file "
                    "describes a guest", options.file);
    }
    return convert(&options, text, length);
}
