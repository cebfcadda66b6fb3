/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys with values, as read from an xl.cfg or from one of its device strings.
 *
 * Each setting is asked for by the code that maps it.  What no code has asked for when
 * all is read is dropped or refused as its table says, or has no effect, and each of
 * these is said: so nothing of the input can go away without a word.
 */

#ifndef XL2VIRT_SETTINGS_H
#define XL2VIRT_SETTINGS_H

#include "conversion.h"

typedef struct Value {
    char *string;    /* NULL for a list */
    GPtrArray *list; /* of Value */
} Value;

typedef struct Setting {
    char *name;
    int line;
    Value *value;
    gboolean asked;
} Setting;

typedef struct Settings {
    Conversion *conversion;
    const KeyTable *table;
    GPtrArray *all; /* of Setting */
} Settings;

Value *value_string(const char *string);
Value *value_list(void);
void value_free(void *value);

Settings *settings_new(Conversion *c, const KeyTable *table);
void settings_free(Settings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Settings, settings_free)
void settings_add(Settings *settings, const char *name, int line, Value *value);

/*
 * Reads "key=value,key=value,flag"; a flag gets the value "1".  A key that the table
 * does not have is an error, as in xl.  Returns NULL after an error.
 */
Settings *settings_parse(Conversion *c, const KeyTable *table, int line,
                         const char *string);

/* Reports what became of each setting. */
void settings_finish(Settings *settings);

/* The key is mapped, so its table must have it.  NULL if it is not set. */
Setting *setting(Settings *settings, const char *key);
int setting_line(Settings *settings, const char *key);
/* NULL if it is not set, or set to a list, which is reported. */
const char *setting_string(Settings *settings, const char *key);
/* False if it is not set, or is no number in this range, which is reported. */
gboolean setting_number(Settings *settings, const char *key, long min, long max,
                        long *number);
gboolean setting_bool(Settings *settings, const char *key, gboolean otherwise);
/* The strings of a list, or one string.  Never NULL; ends with NULL. */
char **setting_strings(Settings *settings, const char *key);

gboolean number_in(const char *string, long min, long max, long *number);

#endif
