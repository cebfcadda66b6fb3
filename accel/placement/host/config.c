/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <string.h>

const char *const config_modes[] = { "observe", "place", "balance", NULL };
const char *const config_policies[] = { "shared", "dedicated", "dense",
                                        "ignore", "service",   NULL };

int config_number(const char *const *names, const char *name)
{
    for (int i = 0; names[i]; i++) {
        if (!g_strcmp0(names[i], name)) {
            return i;
        }
    }
    return -1;
}

static gboolean wrong(GError **error, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

static gboolean wrong(GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE,
                        text);
    return FALSE;
}

/* One of @names, for @key; sets @number. */
static gboolean read_choice(const char *key, const char *value,
                            const char *const *names, int *number,
                            GError **error)
{
    g_autofree char *all = g_strjoinv(" ", (char **)names);

    *number = config_number(names, value);
    return *number >= 0 ||
           wrong(error, "%s: '%s' is none of: %s", key, value, all);
}

static gboolean read_host(Config *c, const char *key, const char *value,
                          GError **error)
{
    char *end;
    guint64 target;
    int mode;

    if (!strcmp(key, "mode")) {
        if (!read_choice(key, value, config_modes, &mode, error)) {
            return FALSE;
        }
        c->mode = mode;
    } else if (!strcmp(key, "target")) {
        target = g_ascii_strtoull(value, &end, 10);
        if (*end || target < 10 || target > 100) {
            return wrong(error, "target must be from 10 to 100");
        }
        c->target = (uint32_t)target * PLACE_ONE / 100;
    } else if (!strcmp(key, "service-cpus")) {
        if (!host_parse_set(value, &c->service)) {
            return wrong(error, "service-cpus: '%s' is no list such as 0-3,8",
                         value);
        }
        c->has_service = TRUE;
    } else if (!strcmp(key, "move-memory")) {
        c->move_memory = !strcmp(value, "yes");
        if (!c->move_memory && strcmp(value, "no")) {
            return wrong(error, "move-memory: '%s' is neither yes nor no",
                         value);
        }
    } else if (!strcmp(key, "libvirt")) {
        g_free(c->libvirt);
        c->libvirt = g_strdup(value);
    } else if (!strcmp(key, "exclude-cpus")) {
        if (!host_parse_set(value, &c->excluded)) {
            return wrong(error, "exclude-cpus: '%s' is no list such as 0-3,8",
                         value);
        }
    } else {
        return wrong(error, "[host] has no key '%s'", key);
    }
    return TRUE;
}

static gboolean read_group(Config *c, const char *group, GError **error)
{
    g_auto(GStrv) keys = g_key_file_get_keys(c->file, group, NULL, NULL);
    gboolean is_host = !strcmp(group, "host");
    gboolean needs_service = FALSE;
    int policy = 0;

    if (!is_host && !g_str_has_prefix(group, "vm ")) {
        return wrong(error, "[%s] is neither [host] nor such as [vm web*]",
                     group);
    }
    for (char **key = keys; *key; key++) {
        g_autofree char *value =
            g_key_file_get_string(c->file, group, *key, error);

        if (!value) {
            return FALSE;
        }
        if (is_host) {
            if (!read_host(c, *key, value, error)) {
                return FALSE;
            }
        } else if (strcmp(*key, "policy")) {
            return wrong(error, "[%s] has no key '%s'", group, *key);
        } else if (!read_choice(*key, value, config_policies, &policy, error)) {
            return FALSE;
        }
        needs_service |= !is_host && policy == PLACE_SERVICE;
    }
    return !needs_service || c->has_service ||
           wrong(error,
                 "[%s] policy=service needs service-cpus in [host], "
                 "before it",
                 group);
}

Config *config_read(const char *path, GError **error)
{
    Config *c = g_new0(Config, 1);
    g_auto(GStrv) groups = NULL;
    gboolean good;

    c->file = g_key_file_new();
    good = !path ||
           g_key_file_load_from_file(c->file, path, G_KEY_FILE_NONE, error);
    groups = g_key_file_get_groups(c->file, NULL);
    for (char **group = groups; good && *group; group++) {
        good = read_group(c, *group, error);
    }
    if (!good) {
        g_prefix_error(error, "%s: ", path);
        config_free(c);
        return NULL;
    }
    return c;
}

void config_narrow(const Config *config, enum place_policy policy,
                   gboolean is_vcpu, struct place_set *set)
{
    struct place_set narrow;
    gboolean any = FALSE;

    for (guint w = 0; w < G_N_ELEMENTS(set->word); w++) {
        uint64_t service = config->service.word[w];

        narrow.word[w] =
            set->word[w] & (!config->has_service                ? ~UINT64_C(0) :
                            policy == PLACE_SERVICE || !is_vcpu ? service :
                                                                  ~service);
        any |= narrow.word[w] != 0;
    }
    if (any) {
        *set = narrow;
    }
}

void config_exclude(const Config *config, HostTopology *topology)
{
    for (uint32_t i = 0; i < topology->t.nr_cpus; i++) {
        topology->cpu[i].excluded =
            config->excluded.word[i / 64] >> (i % 64) & 1;
    }
}

void config_free(Config *config)
{
    g_key_file_unref(config->file);
    g_free(config->libvirt);
    g_free(config);
}

enum place_policy config_policy(const Config *config, const char *name)
{
    g_auto(GStrv) groups = g_key_file_get_groups(config->file, NULL);

    for (char **group = groups; *group; group++) {
        g_autofree char *policy = NULL;
        int number;

        if (!g_str_has_prefix(*group, "vm ") ||
            !g_pattern_match_simple(*group + 3, name)) {
            continue;
        }
        policy = g_key_file_get_string(config->file, *group, "policy", NULL);
        number = config_number(config_policies, policy);
        if (number >= 0) {
            return number;
        }
    }
    return PLACE_SHARED;
}
