/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's configuration file, see place.conf. */

#ifndef HOST_CONFIG_H
#define HOST_CONFIG_H

#include "topology.h"

#include <glib.h>

typedef struct Config {
    GKeyFile *file;
    enum place_mode mode;
    uint32_t target; /* in 1/1024; 0: the core's own */
    struct place_set excluded;
    struct place_set service; /* for back ends; empty: where their guest is */
    gboolean has_service, move_memory;
    char *libvirt; /* its URI, or NULL */
} Config;

/* By their numbers in enum place_mode and enum place_policy. */
extern const char *const config_modes[];
extern const char *const config_policies[];
/* The number of @name in one of them, or -1. */
int config_number(const char *const *names, const char *name);

/* What @path says, or with NULL nothing; NULL with an error. */
Config *config_read(const char *path, GError **error);
/* Narrows @set to the CPUs for such a thread, unless none would be left. */
void config_narrow(const Config *config, enum place_policy policy,
                   gboolean is_vcpu, struct place_set *set);
/* Marks the CPUs that it excludes, before a host is made of @topology. */
void config_exclude(const Config *config, HostTopology *topology);
void config_free(Config *config);
/* That of the first group whose pattern fits the guest's name. */
enum place_policy config_policy(const Config *config, const char *name);

#endif /* HOST_CONFIG_H */
