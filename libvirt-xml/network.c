/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Network interfaces, from the strings of vif=.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain.h"

#define DEFAULT_BRIDGE "xenbr0" /* xl's */
#define MAX_VLAN 4094

static void map_rate(Conversion *c, Settings *vif, xmlNodePtr interface)
{
    const char *rate = setting_string(vif, "rate");
    char *said = NULL;
    size_t said_size = 0;
    unsigned long long average;
    libxl_device_nic nic;
    XLU_Config *xlu;
    FILE *report;
    int status;

    if (!rate) {
        return;
    }
    report = open_memstream(&said, &said_size);
    xlu = xlu_cfg_init(report, "xl");
    libxl_device_nic_init(&nic);
    errno = 0; /* the parser looks at it */
    status = xlu_vif_parse_rate(xlu, rate, &nic);
    fflush(report);
    if (status || !nic.rate_interval_usecs) {
        report_libxlutil(c, setting_line(vif, "rate"),
                         said_size ? said : "vif: the rate's interval is 0",
                         "see xl-network-configuration(5)");
    } else {
        /* KiB/s, rounded up, as 0 would mean no limit. */
        average = (nic.rate_bytes_per_interval * 1000000.0 /
                       nic.rate_interval_usecs + 1023) / 1024;
        set_number(add(add(interface, "bandwidth", NULL), "outbound", NULL),
                   "average", CLAMP(average, 1, G_MAXINT));
    }
    libxl_device_nic_dispose(&nic);
    xlu_cfg_destroy(xlu);
    fclose(report);
    free(said);
}

static void add_vlan_tag(xmlNodePtr vlan, long id, gboolean is_untagged)
{
    xmlNodePtr tag = add(vlan, "tag", NULL);

    set_number(tag, "id", id);
    if (is_untagged) {
        set(tag, "nativeMode", "untagged");
    }
}

/* "10", "10p/20", "10p/100-103", "10p/100+10x4" */
static void map_vlan(Conversion *c, Settings *vif, xmlNodePtr interface)
{
    const char *string = setting_string(vif, "vlan");
    g_autoptr(GRegex) term = g_regex_new(
        "^([0-9]{1,4})(?:-([0-9]{1,4})|\\+([0-9]{1,4})x([0-9]{1,4}))?([pu]?)$",
        0, 0, NULL);
    g_auto(GStrv) terms = NULL;
    unsigned int tags = 0;
    xmlNodePtr vlan;

    if (!string) {
        return;
    }
    terms = g_strsplit(string, "/", -1);
    vlan = add(interface, "vlan", NULL);
    for (char **t = terms; *t; t++) {
        g_autoptr(GMatchInfo) match = NULL;
        long part[5] = { 0 };
        long last;

        if (!g_regex_match(term, *t, 0, &match)) {
            report_error(c, setting_line(vif, "vlan"),
                         "vif.vlan: '%s' is no VLAN: see "
                         "xl-network-configuration(5)", *t);
            return;
        }
        for (int i = 1; i < 5; i++) {
            g_autofree char *text = g_match_info_fetch(match, i);

            part[i] = text ? strtol(text, NULL, 10) : 0;
        }
        g_autofree char *mode = g_match_info_fetch(match, 5);
        long step = part[3] ? part[3] : 1;

        last = part[2]   ? part[2]
               : part[3] ? part[1] + part[3] * part[4]
                         : part[1];
        if (part[1] < 1 || last > MAX_VLAN || last < part[1]) {
            report_error(c, setting_line(vif, "vlan"),
                         "vif.vlan: '%s' is not from 1 to %d", *t, MAX_VLAN);
            return;
        }
        for (long id = part[1]; id <= last; id += step, tags++) {
            add_vlan_tag(vlan, id, mode && *mode && terms[1]);
        }
    }
    if (tags > 1) {
        set(vlan, "trunk", "yes");
    }
    report_warning(c, setting_line(vif, "vlan"),
                   "vif.vlan: the bridge must be Open vSwitch's, or libvirt 11.0 "
                   "or newer");
}

/* A NIC that firmware can boot from, which the guest unplugs for Xen's. */
static void add_emulated(Conversion *c, xmlNodePtr interface, const char *model,
                         int line)
{
    xmlNodePtr twin = xmlCopyNode(interface, 1);
    xmlNodePtr target = find_child(twin, "target");

    set(find_child(twin, "model"), "type", model);
    if (target) {
        g_autofree char *name = get(target, "dev");
        g_autofree char *emulated = g_strdup_printf("%s-emu", name);

        set(target, "dev", emulated);
    }
    xmlAddChild(c->devices, twin);
    report_warning(c, line,
                   "vif: an emulated %s is added, to boot from the network: it "
                   "goes when the guest's Xen drivers come", model);
}

static void map_interface(Conversion *c, Settings *vif, int line,
                          gboolean boots_from_network)
{
    const char *mac = setting_string(vif, "mac");
    const char *bridge = setting_string(vif, "bridge");
    const char *name = setting_string(vif, "vifname");
    const char *type = c->guest == GUEST_HVM ? setting_string(vif, "type") : NULL;
    xmlNodePtr interface = add(c->devices, "interface", NULL);
    long mtu;

    set(interface, "type", "bridge");
    if (mac && g_regex_match_simple("^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$", mac,
                                    G_REGEX_CASELESS, 0)) {
        set(add(interface, "mac", NULL), "address", mac);
    } else if (mac) {
        report_error(c, line, "vif.mac: '%s' is no address of a NIC: give one "
                     "like 00:16:3e:00:00:01", mac);
    }
    bridge = bridge && *bridge ? bridge : DEFAULT_BRIDGE;
    if (!g_regex_match_simple("^[a-zA-Z0-9_.:-]{1,15}$", bridge, 0, 0)) {
        report_error(c, line, "vif.bridge: '%s' is no name of a bridge: give one of up "
                     "to 15 characters", bridge);
    }
    set(add(interface, "source", NULL), "bridge", bridge);
    if (name && g_regex_match_simple("^[a-zA-Z0-9_.-]{1,15}$", name, 0, 0)) {
        set(add(interface, "target", NULL), "dev", name);
    } else if (name) {
        report_error(c, line, "vif.vifname: '%s' is no name of a device: give one of "
                     "up to 15 characters", name);
    }
    if (type && strcmp(type, "vif") && strcmp(type, "ioemu")) {
        report_error(c, line, "vif.type: '%s' is none of: ioemu, vif", type);
    }
    set(add(interface, "model", NULL), "type", "netfront");
    map_rate(c, vif, interface);
    map_vlan(c, vif, interface);
    if (setting_number(vif, "mtu", 68, 65535, &mtu)) {
        set_number(add(interface, "mtu", NULL), "size", mtu);
    }
    if (boots_from_network && (!type || strcmp(type, "vif"))) {
        const char *model = setting_string(vif, "model");

        if (model && !g_regex_match_simple("^[a-z0-9-]+$", model, 0, 0)) {
            report_error(c, line, "vif.model: '%s' is no model: give one like e1000",
                         model);
        }
        add_emulated(c, interface, model ? model : "rtl8139", line);
    }
}

void map_interfaces(Conversion *c, Settings *cfg)
{
    g_auto(GStrv) vifs = setting_strings(cfg, "vif");
    gboolean from_network = FALSE;
    Setting *s = setting(cfg, "vif");

    for (xmlNodePtr node = c->os->children; node; node = node->next) {
        from_network |= has(node, "dev", "network");
    }
    /* An empty string is a vif, too, with xl's defaults. */
    for (unsigned int i = 0; s && s->value->list && i < g_strv_length(vifs); i++) {
        g_autoptr(Settings) vif =
            settings_parse(c, &keys_vif, s->line, vifs[i]);

        if (vif) {
            map_interface(c, vif, s->line, from_network);
            settings_finish(vif);
        }
    }
    if (s && !s->value->list) {
        report_error(c, s->line, "vif: give a list of strings");
    }
}
