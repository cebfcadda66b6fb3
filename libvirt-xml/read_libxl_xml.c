/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads a domain XML of libvirt's libxl driver, and changes it, where it stands, into
 * one for the QEMU driver.  First each element is looked up in the table, and what the
 * table does not keep is taken out; the rest is about what is left.
 */

#include <string.h>

#include <libxml/parser.h>

#include "libxl_xml.h"

/* "devices/disk/address" as "devices/DEVICE/address". */
static const Key *find_element(const char *path)
{
    const Key *key = key_find(&keys_libxl_xml, path);

    if (!key && g_str_has_prefix(path, "devices/")) {
        g_auto(GStrv) parts = g_strsplit(path, "/", -1);

        if (g_strv_length(parts) == 3) {
            g_autofree char *of_any =
                g_strdup_printf("devices/DEVICE/%s", parts[2]);

            key = key_find(&keys_libxl_xml, of_any);
        }
    }
    return key;
}

static gboolean is_foreign(const xmlNode *node)
{
    return node->ns && strcmp((const char *)node->name, "commandline");
}

/* Depth is bounded by libxml2's own limit of 256. */
static void look_up_children(Conversion *c, xmlNodePtr parent, const char *path)
{
    xmlNodePtr next;

    for (xmlNodePtr node = parent->children; node; node = next) {
        g_autofree char *name = NULL;
        const Key *key;

        next = node->next;
        if (node->type == XML_COMMENT_NODE || node->type == XML_PI_NODE) {
            remove_node(node); /* libvirt does not keep it, either */
            continue;
        }
        if (node->type != XML_ELEMENT_NODE) {
            continue;
        }
        name = g_strdup_printf("%s%s%s", path, *path ? "/" : "",
                               (const char *)node->name);
        key = is_foreign(node) ? NULL : find_element(name);
        if (!key) {
            report_unknown(c, xmlGetLineNo(node), name);
            remove_node(node);
            continue;
        }
        report_key(c, xmlGetLineNo(node), name, key);
        if (key->fate != KEY_MAPPED) {
            remove_node(node);
        } else if (!strchr(key->name, '*')) {
            look_up_children(c, node, name);
        }
    }
}

static void find_type(Conversion *c)
{
    xmlNodePtr node = find_child(c->os, "type");
    g_autofree char *type = text_of(node);
    g_autofree char *machine = get(node, "machine");

    if (!type) {
        /* A <bootloader> alone is enough for a PV guest. */
        c->guest = GUEST_PV;
    } else if (!strcmp(type, "linux") || !strcmp(type, "xen")) {
        c->guest = !g_strcmp0(machine, "xenpvh") ? GUEST_PVH : GUEST_PV;
    } else if (!strcmp(type, "xenpvh")) {
        c->guest = GUEST_PVH;
    } else if (!strcmp(type, "hvm")) {
        c->guest = GUEST_HVM;
    } else {
        report_error(c, xmlGetLineNo(node),
                     "os/type: '%s' is none of: linux, xen, xenpvh, hvm", type);
    }
    if (c->guest == GUEST_PVH) {
        report_warning(c, xmlGetLineNo(node),
                       "os/type: a PVH guest becomes an HVM guest that boots "
                       "its kernel directly");
    }
    remove_node(node);
}

/* libvirt's <root> is Xen's; the QEMU driver knows the kernel's command line only. */
static void convert_root(Conversion *c)
{
    xmlNodePtr root = find_child(c->os, "root");
    g_autofree char *device = text_of(root);
    xmlNodePtr cmdline = find_child(c->os, "cmdline");
    g_autofree char *others = text_of(cmdline);

    if (root) {
        g_autofree char *line = g_strdup_printf(
            "root=%s%s%s", device, others ? " " : "", others ? others : "");

        remove_node(cmdline);
        remove_node(root);
        add(c->os, "cmdline", line);
    }
}

static void convert_boot(Conversion *c)
{
    xmlNodePtr loader = find_child(c->os, "loader");
    xmlNodePtr bootloader = find_child(c->domain, "bootloader");
    g_autofree char *path = text_of(loader);
    gboolean is_uefi = path && g_regex_match_simple("ovmf", path,
                                                    G_REGEX_CASELESS, 0);

    if (path && (is_uefi || g_str_has_suffix(path, "hvmloader"))) {
        remove_node(loader);
    }
    if (is_uefi) {
        set(c->os, "firmware", "efi");
    }
    convert_root(c);
    if (c->guest != GUEST_HVM && !find_child(c->os, "kernel")) {
        const char *grub = c->guest == GUEST_PVH ? GRUB_PVH : GRUB_PV64;

        report_warning(c, xmlGetLineNo(bootloader ? bootloader : c->os),
                       "the guest boots by %s, which boots what its own grub.cfg "
                       "says", grub);
        add(c->os, "kernel", grub);
    }
    remove_node(bootloader);
    c->by_firmware = !find_child(c->os, "kernel");
}

/* In KiB; 0 if it is none. */
static guint64 read_memory(Conversion *c, xmlNodePtr node)
{
    static const struct {
        const char *unit;
        guint64 bytes;
    } units[] = {
        { "b", 1 }, { "bytes", 1 }, { "KB", 1000 },
        { "k", G_GUINT64_CONSTANT(1) << 10 }, { "KiB", G_GUINT64_CONSTANT(1) << 10 },
        { "MB", 1000000 },
        { "M", G_GUINT64_CONSTANT(1) << 20 }, { "MiB", G_GUINT64_CONSTANT(1) << 20 },
        { "GB", 1000000000 },
        { "G", G_GUINT64_CONSTANT(1) << 30 }, { "GiB", G_GUINT64_CONSTANT(1) << 30 },
        { "TB", G_GUINT64_CONSTANT(1000000000000) },
        { "T", G_GUINT64_CONSTANT(1) << 40 }, { "TiB", G_GUINT64_CONSTANT(1) << 40 },
    };
    g_autofree char *text = text_of(node);
    g_autofree char *unit = get(node, "unit");
    guint64 bytes = 1 << 10, number;

    for (unsigned int i = 0; unit && i < G_N_ELEMENTS(units); i++) {
        if (!strcmp(units[i].unit, unit)) {
            bytes = units[i].bytes;
        }
    }
    if (!text || !g_ascii_string_to_unsigned(text, 10, 1,
                                             (G_GUINT64_CONSTANT(1) << 50) / bytes,
                                             &number, NULL)) {
        report_error(c, xmlGetLineNo(node), "%s: '%s' is no size: give a number and a unit",
                     (const char *)node->name, text ? text : "");
        return 0;
    }
    return (number * bytes + 1023) / 1024;
}

static void convert_memory(Conversion *c)
{
    xmlNodePtr node = find_child(c->domain, "memory");
    xmlNodePtr current_node = find_child(c->domain, "currentMemory");
    guint64 memory, current;

    if (!node) {
        report_error(c, xmlGetLineNo(c->domain), "memory: none: give <memory>");
        return;
    }
    memory = read_memory(c, node);
    current = current_node ? read_memory(c, current_node) : memory;
    remove_node(current_node);
    domain_set_memory(c, xmlGetLineNo(node), "memory", current, memory);
}

static void convert_events(Conversion *c)
{
    static const char *const events[] = { "on_poweroff", "on_reboot", "on_crash" };

    for (unsigned int i = 0; i < G_N_ELEMENTS(events); i++) {
        xmlNodePtr node = find_child(c->domain, events[i]);
        g_autofree char *action = text_of(node);
        const char *becomes = NULL;

        if (action && !strcmp(action, "rename-restart")) {
            becomes = "restart";
        } else if (action && !strcmp(action, "preserve") && i < 2) {
            becomes = "destroy";
        }
        if (becomes) {
            report_warning(c, xmlGetLineNo(node),
                           "%s: %s becomes %s: libvirt's QEMU driver has no "
                           "such action", events[i], action, becomes);
            xmlNodeSetContent(node, BAD_CAST becomes);
        }
    }
}

static void convert_platform(Conversion *c)
{
    xmlNodePtr cpu = find_child(c->domain, "cpu");
    xmlNodePtr clock = find_child(c->domain, "clock");
    xmlNodePtr next;

    remove_node(find_child(c->features, "pae"));
    remove_node(find_child(c->features, "hap"));
    if (cpu && !strcmp(c->options->type, "qemu")) {
        set(cpu, "mode", "maximum");
        unset(cpu, "check");
        unset(cpu, "match");
        unset(cpu, "migratable");
        remove_node(find_child(cpu, "model"));
    }
    for (xmlNodePtr timer = clock ? clock->children : NULL; timer; timer = next) {
        next = timer->next;
        if (timer->type != XML_ELEMENT_NODE) {
            continue;
        }
        if (has(timer, "name", "hpet")) {
            /* libvirt 9.0 with QEMU 10 refuses present='yes'. */
            if (!has(timer, "present", "no")) {
                remove_node(timer);
            }
        } else {
            g_autofree char *name = get(timer, "name");

            report_warning(c, xmlGetLineNo(timer),
                           "clock/timer dropped: %s is the machine's",
                           name ? name : "it");
            remove_node(timer);
        }
    }
}

static gboolean parse(Conversion *c, const char *text, size_t length)
{
    xmlParserCtxtPtr parser = xmlNewParserCtxt();
    const xmlError *error;

    c->doc = xmlCtxtReadMemory(parser, text, length, NULL, NULL,
                               XML_PARSE_NONET | XML_PARSE_NOERROR |
                                   XML_PARSE_NOWARNING | XML_PARSE_NOBLANKS |
                                   XML_PARSE_NOCDATA);
    error = xmlCtxtGetLastError(parser);
    if (!c->doc) {
        g_autofree char *what =
            g_strdup(error && error->message ? error->message : "no XML");

        report_error(c, error ? error->line : 0, "%s: give a domain XML",
                     g_strstrip(what));
    } else if (c->doc->intSubset) {
        report_error(c, 0, "it has a DTD: libvirt's XML has none: remove it");
    }
    xmlFreeParserCtxt(parser);
    return !c->errors;
}

void read_libxl_xml(Conversion *c, const char *text, size_t length)
{
    g_autofree char *type = NULL;
    g_autofree char *name = NULL;

    if (!parse(c, text, length)) {
        return;
    }
    c->domain = xmlDocGetRootElement(c->doc);
    type = get(c->domain, "type");
    if (strcmp((const char *)c->domain->name, "domain") || c->domain->ns ||
        g_strcmp0(type, "xen")) {
        report_error(c, xmlGetLineNo(c->domain),
                     "<%s type='%s'> is not libxl's: give a <domain type='xen'>",
                     (const char *)c->domain->name, type ? type : "");
        return;
    }
    unset(c->domain, "id");
    look_up_children(c, c->domain, "");
    name = text_of(find_child(c->domain, "name"));
    if (!name || !*name) {
        report_error(c, xmlGetLineNo(c->domain),
                     "name: the domain has none: give <name>");
    }
    domain_begin(c);
    find_type(c);
    convert_boot(c);
    convert_memory(c);
    convert_events(c);
    convert_platform(c);
    convert_devices(c);
}
