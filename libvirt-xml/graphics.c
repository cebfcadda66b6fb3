/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The emulated graphics card of an HVM guest, and how it is looked at.
 */

#include <string.h>

#include "domain.h"

#define VNC_PORT 5900
#define MAX_PORT 65535

/* An address or a name, as libvirt's schema takes it. */
static gboolean is_host(const char *host)
{
    return g_regex_match_simple("^([0-9]{1,3}(\\.[0-9]{1,3}){3}|[0-9a-fA-F:]+)$",
                                host, 0, 0) && g_hostname_is_ip_address(host);
}

static void set_listen(Conversion *c, int line, const char *key,
                       xmlNodePtr graphics, const char *host)
{
    if (is_host(host)) {
        set(graphics, "listen", host);
    } else {
        report_error(c, line, "%s: '%s' is no IP address: give one", key, host);
    }
}

static void map_vnc(Conversion *c, Settings *cfg)
{
    xmlNodePtr vnc = add(c->devices, "graphics", NULL);
    const char *listen = setting_string(cfg, "vnclisten");
    gboolean unused = setting_bool(cfg, "vncunused", TRUE);
    long display = -1;

    set(vnc, "type", "vnc");
    setting_number(cfg, "vncdisplay", 0, MAX_PORT - VNC_PORT, &display);
    if (listen) {
        /* "ADDRESS:DISPLAY", where an IPv6 address has more colons. */
        g_autofree char *host = g_strdup(listen);
        char *colon = strrchr(host, ':');

        if (colon && strchr(host, ':') == colon) {
            *colon = '\0';
            if (!number_in(colon + 1, 0, MAX_PORT - VNC_PORT, &display)) {
                report_error(c, setting_line(cfg, "vnclisten"),
                             "vnclisten: '%s' is no number of a display",
                             colon + 1);
            }
        }
        if (*host) {
            set_listen(c, setting_line(cfg, "vnclisten"), "vnclisten", vnc, host);
        }
    }
    if (display >= 0 && (!unused || !setting(cfg, "vncunused"))) {
        set_number(vnc, "port", VNC_PORT + display);
        set(vnc, "autoport", "no");
    } else {
        set(vnc, "port", "-1");
        set(vnc, "autoport", "yes");
    }
    if (setting(cfg, "vncpasswd")) {
        const char *password = setting_string(cfg, "vncpasswd");

        set(vnc, "passwd", password && *password ? password : NULL);
    }
    set(vnc, "keymap", setting_string(cfg, "keymap"));
}

/* A value of a list that libvirt's schema has, too. */
static void add_choice(Conversion *c, Settings *cfg, const char *key,
                       xmlNodePtr parent, const char *element,
                       const char *attribute, const char *const *choices)
{
    const char *value = setting_string(cfg, key);

    if (value && g_strv_contains(choices, value)) {
        set(add(parent, element, NULL), attribute, value);
    } else if (value) {
        g_autofree char *all = g_strjoinv(", ", (char **)choices);

        report_error(c, setting_line(cfg, key), "%s: '%s' is none of: %s", key,
                     value, all);
    }
}

static void map_spice_agent(Conversion *c, Settings *cfg, xmlNodePtr spice)
{
    gboolean agent = setting_bool(cfg, "spicevdagent", FALSE);

    if (agent) {
        xmlNodePtr channel = add(c->devices, "channel", NULL);
        xmlNodePtr target = add(channel, "target", NULL);

        set(channel, "type", "spicevmc");
        set(target, "type", "virtio");
        set(target, "name", "com.redhat.spice.0");
        set(add(spice, "clipboard", NULL), "copypaste",
            setting_bool(cfg, "spice_clipboard_sharing", FALSE) ? "yes" : "no");
    }
    if (setting(cfg, "spiceagent_mouse")) {
        set(add(spice, "mouse", NULL), "mode",
            setting_bool(cfg, "spiceagent_mouse", TRUE) ? "client" : "server");
    }
}

static void map_spice(Conversion *c, Settings *cfg)
{
    static const char *const compressions[] = { "auto_glz", "auto_lz", "quic",
                                                "glz", "lz", "off", NULL };
    static const char *const videos[] = { "filter", "all", "off", NULL };
    xmlNodePtr spice = add(c->devices, "graphics", NULL);
    gboolean open = setting_bool(cfg, "spicedisable_ticketing", FALSE);
    const char *host = setting_string(cfg, "spicehost");
    long port = 0, tls_port = 0, redirections = 0;

    set(spice, "type", "spice");
    setting_number(cfg, "spiceport", 0, MAX_PORT, &port);
    setting_number(cfg, "spicetls_port", 0, MAX_PORT, &tls_port);
    if (port) {
        set_number(spice, "port", port);
    }
    if (tls_port) {
        set_number(spice, "tlsPort", tls_port);
        report_warning(c, setting_line(cfg, "spicetls_port"),
                       "spicetls_port: libvirt needs spice_tls=1 in "
                       "/etc/libvirt/qemu.conf");
    }
    set(spice, "autoport", port || tls_port ? "no" : "yes");
    if (host) {
        set_listen(c, setting_line(cfg, "spicehost"), "spicehost", spice, host);
    }
    if (!open) {
        set(spice, "passwd", setting_string(cfg, "spicepasswd"));
    }
    set(spice, "keymap", setting_string(cfg, "keymap"));
    add_choice(c, cfg, "spice_image_compression", spice, "image", "compression",
               compressions);
    add_choice(c, cfg, "spice_streaming_video", spice, "streaming", "mode",
               videos);
    map_spice_agent(c, cfg, spice);
    setting_number(cfg, "spiceusbredirection", 0, 4, &redirections);
    for (long i = 0; i < redirections; i++) {
        xmlNodePtr redirection = add(c->devices, "redirdev", NULL);

        set(redirection, "bus", "usb");
        set(redirection, "type", "spicevmc");
    }
}

static void map_video(Conversion *c, Settings *cfg, gboolean nographic)
{
    const char *vga = setting_string(cfg, "vga");
    gboolean stdvga = setting_bool(cfg, "stdvga", FALSE);
    const char *type = stdvga ? "vga" : "cirrus";
    xmlNodePtr model;
    long videoram;

    if (vga && strcmp(vga, "stdvga") && strcmp(vga, "cirrus") &&
        strcmp(vga, "qxl") && strcmp(vga, "none")) {
        report_error(c, setting_line(cfg, "vga"),
                     "vga: '%s' is none of: none, stdvga, cirrus, qxl", vga);
    } else if (vga) {
        type = strcmp(vga, "stdvga") ? vga : "vga";
    }
    if (nographic) {
        type = "none";
    }
    model = add(add(c->devices, "video", NULL), "model", NULL);
    set(model, "type", type);
    if (strcmp(type, "none") &&
        setting_number(cfg, "videoram", 1, 1024, &videoram)) {
        set_number(model, "vram", videoram * 1024);
    }
}

void map_graphics(Conversion *c, Settings *cfg)
{
    gboolean nographic;

    if (c->guest != GUEST_HVM) {
        return;
    }
    nographic = setting_bool(cfg, "nographic", FALSE);
    if (!nographic) {
        if (setting_bool(cfg, "spice", FALSE)) {
            map_spice(c, cfg);
        }
        if (setting_bool(cfg, "vnc", !find_child(c->devices, "graphics"))) {
            map_vnc(c, cfg);
        }
    }
    map_video(c, cfg, nographic);
}
