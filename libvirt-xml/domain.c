/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is neither a device nor a processor: name, memory, events, clock, SMBIOS, and
 * the limits of the Xen environment.
 */

#include <string.h>

#include "domain.h"

static gboolean is_uuid(const char *uuid)
{
    return g_regex_match_simple("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}"
                                "-[0-9a-fA-F]{12}$", uuid, 0, 0) ||
           g_regex_match_simple("^[0-9a-fA-F]{32}$", uuid, 0, 0);
}

void map_identity(Conversion *c, Settings *cfg)
{
    const char *name = setting_string(cfg, "name");
    const char *uuid = setting_string(cfg, "uuid");
    const char *genid = setting_string(cfg, "ms_vm_genid");

    if (!name || !*name || strchr(name, '/')) {
        report_error(c, setting_line(cfg, "name"),
                     name ? "name: '%s' is no name for a domain: give one "
                            "without a slash"
                          : "name%s: the domain has none: give one",
                     name ? name : "");
    } else {
        add(c->domain, "name", name);
    }
    if (uuid && is_uuid(uuid)) {
        add(c->domain, "uuid", uuid);
    } else if (uuid) {
        report_error(c, setting_line(cfg, "uuid"), "uuid: '%s' is no UUID: give one as uuidgen prints it",
                     uuid);
    }
    if (genid && !strcmp(genid, "generate")) {
        add(c->domain, "genid", NULL);
    } else if (genid && strcmp(genid, "none")) {
        report_error(c, setting_line(cfg, "ms_vm_genid"),
                     "ms_vm_genid: '%s' is none of: generate, none", genid);
    }
}

static void set_size(Conversion *c, const char *name, guint64 kib)
{
    gboolean is_mib = kib % 1024 == 0;
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, is_mib ? kib / 1024 : kib);
    xmlNodePtr node = child(c->domain, name);

    xmlNodeSetContent(node, BAD_CAST text);
    set(node, "unit", is_mib ? "MiB" : "KiB");
}

void domain_set_memory(Conversion *c, int line, const char *key, guint64 memory, guint64 most)
{
    if (most > memory && (c->guest == GUEST_PV || c->options->stock)) {
        report_warning(c, line,
                       "%s: the guest has %" G_GUINT64_FORMAT " MiB, and does not grow to %"
                       G_GUINT64_FORMAT ": raise memory if it needs more",
                       key, memory / 1024, most / 1024);
        most = memory;
    }
    if (c->guest == GUEST_PV) {
        if (!c->has_shim) {
            memory += (PV_MONITOR_MIB +
                       (memory * PV_MONITOR_MIB_PER_GIB + (1 << 20) - 1) / (1 << 20)) * 1024;
        } else {
            memory = MAX(memory + PV_SHIM_MIB * 1024, PV_SHIM_LEAST_MIB * 1024);
        }
        most = memory;
    }
    set_size(c, "memory", MAX(memory, most));
    if (most > memory) {
        set_size(c, "currentMemory", memory);
    }
}

void map_memory(Conversion *c, Settings *cfg)
{
    long memory = 32; /* xl's default */
    long maxmem = 0;
    gboolean has_maxmem = setting_number(cfg, "maxmem", 1, 1 << 24, &maxmem);

    if (!setting_number(cfg, "memory", 1, 1 << 24, &memory) && has_maxmem) {
        memory = maxmem;
    }
    domain_set_memory(c, setting_line(cfg, has_maxmem ? "maxmem" : "memory"), "maxmem",
                      memory * 1024, maxmem * 1024);
}

/* Actions are those of on_reboot and on_poweroff; a crash has two more. */
static void map_event(Conversion *c, Settings *cfg, const char *key,
                      const char *otherwise)
{
    static const char *const known[] = { "destroy", "restart", "rename-restart",
                                         "preserve", "coredump-destroy",
                                         "coredump-restart", "soft-reset", NULL };
    const char *action = setting_string(cfg, key);
    gboolean is_crash = !strcmp(key, "on_crash");
    const char *becomes = action;

    if (!action) {
        add(c->domain, key, otherwise);
        return;
    }
    if (!g_strv_contains(known, action)) {
        report_error(c, setting_line(cfg, key),
                     "%s: '%s' is none of: destroy, restart, preserve, "
                     "coredump-destroy, coredump-restart", key, action);
        return;
    }
    if (!strcmp(action, "rename-restart") || !strcmp(action, "soft-reset")) {
        becomes = "restart";
    } else if (!is_crash && strcmp(action, "restart")) {
        becomes = g_str_has_suffix(action, "restart") ? "restart" : "destroy";
    }
    if (strcmp(becomes, action)) {
        report_warning(c, setting_line(cfg, key),
                       "%s: %s becomes %s: libvirt's QEMU driver has no such "
                       "action", key, action, becomes);
    }
    add(c->domain, key, becomes);
}

static void map_watchdog(Conversion *c, Settings *cfg)
{
    const char *action = setting_string(cfg, "on_watchdog");
    const char *becomes;

    if (!action) {
        return;
    }
    if (!strcmp(action, "destroy")) {
        becomes = "poweroff";
    } else if (!strcmp(action, "preserve")) {
        becomes = "pause";
    } else if (g_str_has_prefix(action, "coredump-")) {
        becomes = "dump";
    } else {
        becomes = "reset";
    }
    report_warning(c, setting_line(cfg, "on_watchdog"),
                   "on_watchdog: %s becomes %s, and the guest has an i6300esb "
                   "watchdog, too: the action belongs to it", action, becomes);
    xmlNodePtr watchdog = add(c->devices, "watchdog", NULL);
    set(watchdog, "model", "i6300esb");
    set(watchdog, "action", becomes);
}

void map_events(Conversion *c, Settings *cfg)
{
    map_event(c, cfg, "on_poweroff", "destroy");
    map_event(c, cfg, "on_reboot", "restart");
    map_event(c, cfg, "on_crash", "destroy");
    map_watchdog(c, cfg);
    if (c->guest != GUEST_HVM) {
        return;
    }
    for (unsigned int i = 0; i < 2; i++) {
        const char *key = i ? "acpi_s4" : "acpi_s3";

        if (setting(cfg, key)) {
            xmlNodePtr pm = child(c->domain, "pm");

            set(add(pm, i ? "suspend-to-disk" : "suspend-to-mem", NULL),
                "enabled", setting_bool(cfg, key, TRUE) ? "yes" : "no");
        }
    }
}

void map_clock(Conversion *c, Settings *cfg)
{
    xmlNodePtr clock = add(c->domain, "clock", NULL);
    gboolean localtime = setting_bool(cfg, "localtime", FALSE);
    long offset = 0;

    if (setting_number(cfg, "rtc_timeoffset", G_MININT, G_MAXINT, &offset) &&
        offset) {
        g_autofree char *adjustment = g_strdup_printf("%ld", offset);

        set(clock, "offset", "variable");
        set(clock, "adjustment", adjustment);
        set(clock, "basis", localtime ? "localtime" : "utc");
    } else {
        set(clock, "offset", localtime ? "localtime" : "utc");
    }
    /* It is there anyway, and libvirt 9.0 with QEMU 10 refuses present='yes'. */
    if (c->guest == GUEST_HVM && !setting_bool(cfg, "hpet", TRUE)) {
        xmlNodePtr timer = add(clock, "timer", NULL);

        set(timer, "name", "hpet");
        set(timer, "present", "no");
    }
}

static const struct SmbiosEntry {
    const char *key;
    const char *block;
    const char *entry;
} smbios_entries[] = {
    { "bios_vendor", "bios", "vendor" },
    { "bios_version", "bios", "version" },
    { "system_manufacturer", "system", "manufacturer" },
    { "system_product_name", "system", "product" },
    { "system_version", "system", "version" },
    { "system_serial_number", "system", "serial" },
    { "baseboard_manufacturer", "baseBoard", "manufacturer" },
    { "baseboard_product_name", "baseBoard", "product" },
    { "baseboard_version", "baseBoard", "version" },
    { "baseboard_serial_number", "baseBoard", "serial" },
    { "baseboard_asset_tag", "baseBoard", "asset" },
    { "baseboard_location_in_chassis", "baseBoard", "location" },
    { "enclosure_manufacturer", "chassis", "manufacturer" },
    { "enclosure_serial_number", "chassis", "serial" },
    { "enclosure_asset_tag", "chassis", "asset" },
    { "oem", "oemStrings", NULL },
};

/* Each string has one key, and its value may have commas. */
void map_smbios(Conversion *c, Settings *cfg)
{
    g_autoptr(Settings) all = NULL;
    g_auto(GStrv) strings = NULL;
    xmlNodePtr sysinfo = NULL;
    int line;

    if (c->guest != GUEST_HVM || !setting(cfg, "smbios")) {
        return;
    }
    line = setting_line(cfg, "smbios");
    strings = setting_strings(cfg, "smbios");
    all = settings_new(c, &keys_smbios);
    for (char **string = strings; *string; string++) {
        char *equals = strchr(*string, '=');

        if (equals) {
            *equals++ = '\0';
        }
        if (!equals || !*equals || !key_find(&keys_smbios, *string)) {
            report_error(c, line, "smbios: '%s' is no key with a value: see "
                         "xl.cfg(5)", *string);
            return;
        }
        settings_add(all, *string, line, value_string(equals));
    }
    for (unsigned int i = 0; i < G_N_ELEMENTS(smbios_entries); i++) {
        const struct SmbiosEntry *e = &smbios_entries[i];

        for (unsigned int j = 0; j < all->all->len; j++) {
            Setting *s = g_ptr_array_index(all->all, j);
            xmlNodePtr node;

            if (strcmp(s->name, e->key)) {
                continue;
            }
            s->asked = TRUE;
            if (!sysinfo) {
                sysinfo = add(c->domain, "sysinfo", NULL);
                set(sysinfo, "type", "smbios");
                set(add(c->os, "smbios", NULL), "mode", "sysinfo");
            }
            node = add(child(sysinfo, e->block), "entry", s->value->string);
            set(node, "name", e->entry);
        }
    }
    settings_finish(all);
}

void map_xenbus(Conversion *c, Settings *cfg)
{
    long channels, frames;
    gboolean has_channels =
        setting_number(cfg, "max_event_channels", 1, 131071, &channels);
    gboolean has_frames =
        setting_number(cfg, "max_grant_frames", 1, G_MAXINT, &frames);

    if (has_channels || has_frames) {
        xmlNodePtr xenbus = add(c->devices, "controller", NULL);

        set(xenbus, "type", "xenbus");
        if (has_channels) {
            set_number(xenbus, "maxEventChannels", channels);
        }
        if (has_frames) {
            set_number(xenbus, "maxGrantFrames", frames);
        }
    }
}
