/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys with values, and which of them were asked for.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "settings.h"

Value *value_string(const char *string)
{
    Value *value = g_new0(Value, 1);

    value->string = g_strdup(string);
    return value;
}

Value *value_list(void)
{
    Value *value = g_new0(Value, 1);

    value->list = g_ptr_array_new_with_free_func(value_free);
    return value;
}

void value_free(void *data)
{
    Value *value = data;

    if (value->list) {
        g_ptr_array_unref(value->list);
    }
    g_free(value->string);
    g_free(value);
}

static void setting_free(void *data)
{
    Setting *s = data;

    value_free(s->value);
    g_free(s->name);
    g_free(s);
}

Settings *settings_new(Conversion *c, const KeyTable *table)
{
    Settings *settings = g_new0(Settings, 1);

    settings->conversion = c;
    settings->table = table;
    settings->all = g_ptr_array_new_with_free_func(setting_free);
    return settings;
}

void settings_free(Settings *settings)
{
    g_ptr_array_unref(settings->all);
    g_free(settings);
}

void settings_add(Settings *settings, const char *name, int line, Value *value)
{
    Setting *s = g_new0(Setting, 1);

    s->name = g_strdup(name);
    s->line = line;
    s->value = value;
    g_ptr_array_add(settings->all, s);
}

/* "untrusted" is trusted=0: tables have one key for a pair of flags. */
static void add_flag(Settings *settings, const char *flag, int line)
{
    if (!strcmp(flag, "untrusted")) {
        settings_add(settings, "trusted", line, value_string("0"));
    } else {
        settings_add(settings, flag, line, value_string("1"));
    }
}

Settings *settings_parse(Conversion *c, const KeyTable *table, int line,
                         const char *string)
{
    g_autoptr(Settings) settings = settings_new(c, table);
    g_auto(GStrv) parts = g_strsplit(string, ",", -1);

    for (char **part = parts; *part; part++) {
        char *equals = strchr(*part, '=');
        Setting *added;

        if (equals) {
            *equals = '\0';
            settings_add(settings, g_strstrip(*part), line,
                         value_string(g_strstrip(equals + 1)));
        } else if (*g_strstrip(*part)) {
            add_flag(settings, *part, line);
        } else {
            continue;
        }
        added = g_ptr_array_index(settings->all, settings->all->len - 1);
        if (!key_find(table, added->name)) {
            report_error(c, line, "%s: unknown key '%s': see %s", table->name,
                         added->name, table->page);
            return NULL;
        }
    }
    return g_steal_pointer(&settings);
}

static gboolean is_neutral(const Key *key, const Value *value)
{
    g_auto(GStrv) neutral = NULL;

    if (value->list) {
        return !value->list->len;
    }
    neutral = g_strsplit(key->neutral ? key->neutral : "0|", "|", -1);
    return g_strv_contains((const char *const *)neutral, value->string);
}

void settings_finish(Settings *settings)
{
    Conversion *c = settings->conversion;

    for (unsigned int i = 0; i < settings->all->len; i++) {
        Setting *s = g_ptr_array_index(settings->all, i);
        const Key *key = key_find(settings->table, s->name);
        const char *table = settings->table->name;
        g_autofree char *name = table ? g_strdup_printf("%s.%s", table, s->name)
                                      : g_strdup(s->name);

        if (!key) {
            report_unknown(c, s->line, name);
        } else if (key->fate != KEY_MAPPED && is_neutral(key, s->value)) {
            report_neutral(c, s->line, name);
        } else if (key->fate == KEY_MAPPED && !s->asked) {
            report_no_effect(c, s->line, name);
        } else {
            report_key(c, s->line, name, key);
        }
    }
}

Setting *setting(Settings *settings, const char *name)
{
    const Key *key = key_find(settings->table, name);

    g_assert(key && key->fate == KEY_MAPPED);
    /* The last one counts, as in xl. */
    for (unsigned int i = settings->all->len; i; i--) {
        Setting *s = g_ptr_array_index(settings->all, i - 1);

        if (!strcmp(s->name, name)) {
            s->asked = TRUE;
            return s;
        }
    }
    return NULL;
}

int setting_line(Settings *settings, const char *name)
{
    Setting *s = setting(settings, name);

    return s ? s->line : 0;
}

const char *setting_string(Settings *settings, const char *name)
{
    Setting *s = setting(settings, name);

    if (s && s->value->list) {
        report_error(settings->conversion, s->line,
                     "%s: a list: give a single value", name);
        return NULL;
    }
    return s ? s->value->string : NULL;
}

gboolean number_in(const char *string, long min, long max, long *number)
{
    char *end;
    long value;

    errno = 0;
    value = strtol(string, &end, 0);
    if (errno || end == string || *end || value < min || value > max) {
        return FALSE;
    }
    *number = value;
    return TRUE;
}

gboolean setting_number(Settings *settings, const char *name, long min,
                        long max, long *number)
{
    const char *string = setting_string(settings, name);

    if (!string) {
        return FALSE;
    }
    if (!number_in(string, min, max, number)) {
        report_error(settings->conversion, setting_line(settings, name),
                     "%s: '%s' is not a number from %ld to %ld", name, string,
                     min, max);
        return FALSE;
    }
    return TRUE;
}

gboolean setting_bool(Settings *settings, const char *name, gboolean otherwise)
{
    long number;

    return setting_number(settings, name, G_MINLONG, G_MAXLONG, &number)
               ? number != 0
               : otherwise;
}

char **setting_strings(Settings *settings, const char *name)
{
    Setting *s = setting(settings, name);
    GPtrArray *strings = g_ptr_array_new();

    if (s && s->value->string && *s->value->string) {
        g_ptr_array_add(strings, g_strdup(s->value->string));
    }
    for (unsigned int i = 0; s && s->value->list && i < s->value->list->len;
         i++) {
        const Value *item = g_ptr_array_index(s->value->list, i);

        if (item->string) {
            g_ptr_array_add(strings, g_strdup(item->string));
        } else {
            report_error(settings->conversion, s->line,
                         "%s: a list in a list: give strings", name);
        }
    }
    g_ptr_array_add(strings, NULL);
    return (char **)g_ptr_array_free(strings, FALSE);
}
