/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Serial ports and channels, which are streams of characters, and sound cards.
 */

#include <string.h>

#include "domain.h"

#define SERIAL_PORTS 4

/* "tcp:HOST:PORT,server,nowait" */
static gboolean add_tcp(xmlNodePtr serial, const char *address)
{
    g_autoptr(GRegex) tcp = g_regex_new(
        "^([a-zA-Z0-9.-]*):([0-9]{1,5})((?:,[a-z=]+)*)$", 0, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;

    if (!g_regex_match(tcp, address, 0, &match)) {
        return FALSE;
    }
    g_autofree char *host = g_match_info_fetch(match, 1);
    g_autofree char *port = g_match_info_fetch(match, 2);
    g_autofree char *options = g_match_info_fetch(match, 3);
    xmlNodePtr source = add(serial, "source", NULL);

    set(serial, "type", "tcp");
    set(source, "mode", strstr(options, ",server") ? "bind" : "connect");
    set(source, "host", *host ? host : "127.0.0.1");
    set(source, "service", port);
    set(add(serial, "protocol", NULL), "type", "raw");
    return TRUE;
}

/* "unix:PATH,server,nowait" */
static gboolean add_unix(xmlNodePtr serial, const char *address)
{
    g_auto(GStrv) parts = g_strsplit(address, ",", 2);
    xmlNodePtr source;

    if (!parts[0] || *parts[0] != '/' || !parts[0][1]) {
        return FALSE;
    }
    source = add(serial, "source", NULL);
    set(serial, "type", "unix");
    set(source, "mode",
        parts[1] && g_str_has_prefix(parts[1], "server") ? "bind" : "connect");
    set(source, "path", parts[0]);
    return TRUE;
}

static gboolean add_path(xmlNodePtr serial, const char *type, const char *path)
{
    if (*path != '/' || !path[1]) {
        return FALSE;
    }
    set(serial, "type", type);
    set(add(serial, "source", NULL), "path", path);
    return TRUE;
}

/* What QEMU's -serial takes, and libvirt has, too. */
static gboolean add_backend(xmlNodePtr serial, const char *device)
{
    if (!strcmp(device, "pty") || !strcmp(device, "vc") ||
        !strcmp(device, "stdio")) {
        set(serial, "type", "pty");
        return TRUE;
    }
    if (!strcmp(device, "null")) {
        set(serial, "type", "null");
        return TRUE;
    }
    if (g_str_has_prefix(device, "tcp:")) {
        return add_tcp(serial, device + strlen("tcp:"));
    }
    if (g_str_has_prefix(device, "unix:")) {
        return add_unix(serial, device + strlen("unix:"));
    }
    if (g_str_has_prefix(device, "file:")) {
        return add_path(serial, "file", device + strlen("file:"));
    }
    return g_str_has_prefix(device, "/dev/") && add_path(serial, "dev", device);
}

void map_serials(Conversion *c, Settings *cfg)
{
    g_auto(GStrv) devices = NULL;
    unsigned int port = 0;

    if (c->guest != GUEST_HVM) {
        return;
    }
    devices = setting_strings(cfg, "serial");
    for (char **device = devices; *device; device++) {
        xmlNodePtr serial, target;

        if (!strcmp(*device, "none")) {
            continue;
        }
        serial = add(c->devices, "serial", NULL);
        if (!add_backend(serial, *device)) {
            report_error(c, setting_line(cfg, "serial"),
                         "serial: '%s' is none of: pty, null, file:PATH, "
                         "unix:PATH, tcp:HOST:PORT, /dev/DEVICE", *device);
        }
        target = add(serial, "target", NULL);
        set(target, "type", "isa-serial");
        set_number(target, "port", port++);
    }
    if (port > SERIAL_PORTS) {
        report_error(c, setting_line(cfg, "serial"),
                     "serial: %u ports: a PC has %d at most", port,
                     SERIAL_PORTS);
    }
    if (port && !c->options->stock) {
        report_warning(c, setting_line(cfg, "serial"),
                       "serial: 'virsh console' opens ttyS0; for hvc0 say "
                       "--devname console1");
    }
}

static void map_channel(Conversion *c, Settings *spec, int line)
{
    const char *name = setting_string(spec, "name");
    const char *connection = setting_string(spec, "connection");
    const char *path = setting_string(spec, "path");
    xmlNodePtr channel = add(c->devices, "channel", NULL);
    xmlNodePtr target;

    if (!name || !*name) {
        report_error(c, line, "channel: it has no name: give name=NAME");
        return;
    }
    if (connection && !g_ascii_strcasecmp(connection, "pty")) {
        set(channel, "type", "pty");
    } else if (connection && !g_ascii_strcasecmp(connection, "socket")) {
        if (!path || !is_path(c, line, "channel.path", path)) {
            report_error(c, line, "channel: a socket needs path=PATH");
            return;
        }
        xmlNodePtr source = add(channel, "source", NULL);

        set(channel, "type", "unix");
        set(source, "mode", "bind");
        set(source, "path", path);
    } else {
        report_error(c, line, "channel: connection is socket or pty: give one");
        return;
    }
    target = add(channel, "target", NULL);
    set(target, "type", "virtio");
    set(target, "name", name);
}

void map_channels(Conversion *c, Settings *cfg)
{
    g_auto(GStrv) channels = NULL;

    if (c->guest == GUEST_PV) {
        return;
    }
    channels = setting_strings(cfg, "channel");
    for (char **channel = channels; *channel; channel++) {
        int line = setting_line(cfg, "channel");
        g_autoptr(Settings) spec =
            settings_parse(c, &keys_channel, line, *channel);

        if (spec) {
            map_channel(c, spec, line);
            settings_finish(spec);
            report_warning(c, line, "channel: the guest finds it as a virtio "
                           "port, not as a Xen console");
        }
    }
}

void map_sound(Conversion *c, Settings *cfg)
{
    static const char *const models[] = { "ac97", "es1370", "sb16", NULL };
    const char *card = c->guest == GUEST_HVM ? setting_string(cfg, "soundhw")
                                             : NULL;

    if (!card || !*card) {
        return;
    }
    if (g_strv_contains(models, card)) {
        set(add(c->devices, "sound", NULL), "model", card);
    } else if (!strcmp(card, "hda")) {
        set(add(c->devices, "sound", NULL), "model", "ich6");
    } else {
        report_warning(c, setting_line(cfg, "soundhw"),
                       "soundhw: %s dropped: libvirt has ac97, es1370, hda and "
                       "sb16", card);
    }
}
