/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads an xl.cfg.  libxlutil, xl's own parser, reads the values.  It neither lists
 * the keys that it has found nor says where they are, so a scan of the same text finds
 * those.
 */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain.h"

#define XLU_SOURCE "xl"

void report_libxlutil(Conversion *c, int line, const char *said,
                      const char *advice)
{
    static const char parsing[] = "config parsing error ";
    g_autofree char *copy = g_strndup(said, strcspn(said, "\n"));
    char *what = copy;
    char *error;

    if (g_str_has_prefix(what, XLU_SOURCE ":")) {
        what += strlen(XLU_SOURCE ":");
        if (isdigit((unsigned char)*what)) {
            line = strtol(what, &what, 10);
            what += *what == ':';
        }
    }
    error = strstr(what, parsing);
    if (error) {
        what = error + strlen(parsing);
    }
    /* "in disk specification: ...", "in vif: ..." */
    what += g_str_has_prefix(what, "in ") ? strlen("in ") : 0;
    report_error(c, line, "%s: %s", g_strstrip(what), advice);
}

/* What is in quotes: returns the end of the string. */
static const char *skip_string(const char *p, const char *end, int *line)
{
    char quote = *p++;

    while (p < end && *p != quote) {
        if (*p == '\\' && p + 1 < end) {
            p++;
        }
        *line += *p == '\n';
        p++;
    }
    return p < end ? p + 1 : p;
}

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t')) {
        p++;
    }
    return p;
}

typedef void KeyFound(void *opaque, const char *name, int line, gboolean added);

/* Calls found for each key that the text, which libxlutil could parse, assigns. */
static void scan_keys(const char *text, size_t length, KeyFound *found,
                      void *opaque)
{
    const char *end = text + length;
    const char *p = text;
    int line = 1;
    int depth = 0;

    while (p < end) {
        if (*p == '\'' || *p == '"') {
            p = skip_string(p, end, &line);
        } else if (*p == '#') {
            while (p < end && *p != '\n') {
                p++;
            }
        } else if (islower((unsigned char)*p) || isdigit((unsigned char)*p)) {
            const char *from = p;

            while (p < end && (islower((unsigned char)*p) ||
                               isdigit((unsigned char)*p) || *p == '.' ||
                               *p == '_')) {
                p++;
            }
            if (!depth && islower((unsigned char)*from)) {
                const char *after = skip_blanks(p, end);
                gboolean added = after + 1 < end && *after == '+' &&
                                 after[1] == '=';

                if (added || (after < end && *after == '=')) {
                    g_autofree char *name = g_strndup(from, p - from);

                    found(opaque, name, line, added);
                }
            }
        } else {
            line += *p == '\n';
            depth += (*p == '[') - (*p == ']');
            p++;
        }
    }
}

typedef struct Reading {
    Settings *settings;
    XLU_Config *xlu;
} Reading;

/* XML has no control characters, and no key has a use for them. */
static gboolean is_text(const char *string)
{
    for (; *string; string = g_utf8_next_char(string)) {
        gunichar character = g_utf8_get_char(string);

        if ((character < ' ' && character != '\t') || character == 0xfffe ||
            character == 0xffff) {
            return FALSE;
        }
    }
    return TRUE;
}

static Value *read_list(Reading *r, const XLU_ConfigList *list,
                        gboolean *is_good)
{
    Value *value = value_list();
    XLU_ConfigValue *item;

    for (int i = 0; (item = xlu_cfg_get_listitem2(list, i)); i++) {
        XLU_ConfigList *inner;
        char *string;

        if (!xlu_cfg_value_get_list(r->xlu, item, &inner, 1)) {
            g_ptr_array_add(value->list, read_list(r, inner, is_good));
        } else if (!xlu_cfg_value_get_string(r->xlu, item, &string, 1)) {
            *is_good &= is_text(string);
            g_ptr_array_add(value->list, value_string(string));
        }
    }
    return value;
}

static void key_found(void *opaque, const char *name, int line, gboolean added)
{
    Reading *r = opaque;
    Settings *settings = r->settings;
    gboolean is_good = TRUE;
    XLU_ConfigList *list;
    const char *string;
    Value *value;

    for (unsigned int i = 0; i < settings->all->len; i++) {
        Setting *s = g_ptr_array_index(settings->all, i);

        if (!strcmp(s->name, name)) {
            if (!added) {
                report_warning(settings->conversion, line,
                               "%s is set in line %d, too: the last one counts",
                               name, s->line);
                s->line = line;
            }
            return;
        }
    }
    if (!xlu_cfg_get_list(r->xlu, name, &list, NULL, 1)) {
        value = read_list(r, list, &is_good);
    } else if (!xlu_cfg_get_string(r->xlu, name, &string, 1)) {
        is_good = is_text(string);
        value = value_string(string);
    } else {
        /* It would take a difference between libxlutil's scanner and ours. */
        report_error(settings->conversion, line,
                     "%s: libxlutil does not find it: write it on a line of "
                     "its own", name);
        return;
    }
    if (!is_good) {
        report_error(settings->conversion, line,
                     "%s: a control character: remove it", name);
    }
    settings_add(settings, name, line, value);
}

static void map_all(Conversion *c, Settings *cfg)
{
    domain_begin(c);
    map_boot(c, cfg); /* first: the others depend on the guest's type */
    map_identity(c, cfg);
    map_memory(c, cfg);
    map_cpus(c, cfg);
    map_cpu_features(c, cfg);
    map_vnuma(c, cfg);
    map_events(c, cfg);
    map_clock(c, cfg);
    map_smbios(c, cfg);
    map_xenbus(c, cfg);
    map_disks(c, cfg);
    map_interfaces(c, cfg);
    map_serials(c, cfg);
    map_channels(c, cfg);
    map_graphics(c, cfg);
    map_sound(c, cfg);
    map_usb(c, cfg);
    map_pci(c, cfg);
    settings_finish(cfg);
}

void read_xl_cfg(Conversion *c, const char *text, size_t length)
{
    g_autoptr(Settings) settings = settings_new(c, &keys_xl_cfg);
    Reading r = { .settings = settings };
    /* A comment in the last line needs its end of line, too. */
    g_autofree char *lines = g_strdup_printf("%.*s\n", (int)length, text);
    char *said = NULL;
    size_t said_size;
    FILE *report = open_memstream(&said, &said_size);
    int status;

    r.xlu = xlu_cfg_init(report, XLU_SOURCE);
    g_assert(report && r.xlu);
    status = xlu_cfg_readdata(r.xlu, lines, length + 1);
    fflush(report);
    if (status) {
        report_libxlutil(c, 0, said_size ? said : "it cannot be parsed",
                         "see xl.cfg(5)");
    } else {
        scan_keys(lines, length + 1, key_found, &r);
    }
    xlu_cfg_destroy(r.xlu);
    fclose(report);
    free(said);
    if (!c->errors) {
        map_all(c, settings);
    }
}
