/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages, and the rows of --check.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "conversion.h"

static void message(Conversion *c, int line, const char *kind,
                    const char *format, va_list args)
{
    g_autofree char *what = g_strdup_vprintf(format, args);
    g_autofree char *place =
        line ? g_strdup_printf("%s:%d", c->options->file, line)
             : g_strdup(c->options->file);

    /* A value may have any character, and a message is one line. */
    for (char *p = what; *p; p++) {
        if ((unsigned char)*p < ' ') {
            *p = ' ';
        }
    }
    g_ptr_array_add(c->messages,
                    g_strdup_printf("xl2virt: %s: %s%s", place, kind, what));
}

void report_error(Conversion *c, int line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    message(c, line, "", format, args);
    va_end(args);
    c->errors++;
}

void report_warning(Conversion *c, int line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    message(c, line, "warning: ", format, args);
    va_end(args);
}

static void add_row(Conversion *c, int line, const char *name,
                    const char *fate, const char *becomes)
{
    Row *row = g_new0(Row, 1);

    row->line = line;
    row->name = g_strdup(name);
    row->fate = fate;
    row->becomes = g_strdup(becomes);
    g_ptr_array_add(c->rows, row);
}

static void free_row(void *data)
{
    Row *row = data;

    g_free(row->name);
    g_free(row->becomes);
    g_free(row);
}

void report_key(Conversion *c, int line, const char *name, const Key *key)
{
    switch (key->fate) {
    case KEY_MAPPED:
        add_row(c, line, name, "mapped", key->becomes);
        break;
    case KEY_DROPPED:
        add_row(c, line, name, "dropped", key->becomes);
        report_warning(c, line, "%s dropped: %s", name, key->becomes);
        break;
    case KEY_REFUSED:
        add_row(c, line, name, "refused", key->becomes);
        report_error(c, line, "%s refused: %s", name, key->becomes);
        break;
    }
}

void report_neutral(Conversion *c, int line, const char *name)
{
    add_row(c, line, name, "mapped", "nothing: it asks for what is so anyway");
}

void report_no_effect(Conversion *c, int line, const char *name)
{
    add_row(c, line, name, "dropped", "nothing of this guest depends on it");
    report_warning(c, line, "%s dropped: nothing of this %s guest depends on it",
                   name, guest_type_name(c->guest));
}

void report_unknown(Conversion *c, int line, const char *name)
{
    add_row(c, line, name, "unknown", "nothing");
    if (!c->unknown->len) {
        c->unknown_line = line;
    }
    g_ptr_array_add(c->unknown, g_strdup(name));
}

void report_all_unknown(Conversion *c)
{
    GString *names = g_string_new(NULL);

    for (unsigned int i = 0; i < c->unknown->len; i++) {
        const char *name = g_ptr_array_index(c->unknown, i);

        g_string_append_printf(names, "%s%s", i ? ", " : "", name);
    }
    if (names->len) {
        report_warning(c, c->unknown_line,
                       "unknown, and dropped: %s: check the spelling",
                       names->str);
    }
    g_string_free(names, TRUE);
}

void conversion_init(Conversion *c, const Options *options)
{
    memset(c, 0, sizeof(*c));
    c->options = options;
    c->rows = g_ptr_array_new_with_free_func(free_row);
    c->messages = g_ptr_array_new_with_free_func(g_free);
    c->unknown = g_ptr_array_new_with_free_func(g_free);
}

void conversion_free(Conversion *c)
{
    g_ptr_array_unref(c->rows);
    g_ptr_array_unref(c->messages);
    g_ptr_array_unref(c->unknown);
    xmlFreeDoc(c->doc);
}

static int compare_lines(const void *a, const void *b)
{
    const Row *x = *(Row *const *)a;
    const Row *y = *(Row *const *)b;

    return x->line - y->line;
}

void print_rows(const Conversion *c)
{
    int width = 4;

    g_ptr_array_sort(c->rows, compare_lines);
    for (unsigned int i = 0; i < c->rows->len; i++) {
        const Row *row = g_ptr_array_index(c->rows, i);

        width = MAX(width, (int)strlen(row->name));
    }
    printf("%5s  %-*s  %-7s  %s\n", "line", width, "key", "fate", "becomes");
    for (unsigned int i = 0; i < c->rows->len; i++) {
        const Row *row = g_ptr_array_index(c->rows, i);

        printf("%5d  %-*s  %-7s  %s\n", row->line, width, row->name, row->fate,
               row->becomes);
    }
}

/* In Markdown, where a bar would end a cell. */
static void print_cell(const char *text)
{
    for (; *text; text++) {
        if (strchr("|<*", *text)) {
            putchar('\\');
        }
        putchar(*text);
    }
}

void print_tables(void)
{
    static const char *const fates[] = { "mapped", "dropped", "refused" };

    for (const KeyTable *const *table = key_tables; *table; table++) {
        printf("## `%s`\n\n%s\n\n", (*table)->title, (*table)->page);
        printf("| key | fate | becomes, or why not |\n|---|---|---|\n");
        for (size_t i = 0; i < (*table)->n_keys; i++) {
            const Key *key = &(*table)->keys[i];

            printf("| `%s` | %s | ", key->name, fates[key->fate]);
            print_cell(key->becomes);
            if (key->neutral && key->fate != KEY_MAPPED) {
                printf(" (nothing to say for ");
                print_cell(key->neutral);
                putchar(')');
            }
            printf(" |\n");
        }
        putchar('\n');
    }
}
