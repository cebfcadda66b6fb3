/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a file's text to a domain: reading, and what each domain has.
 */

#include <string.h>

#include "conversion.h"

void domain_begin(Conversion *c)
{
    if (!c->doc) {
        c->doc = xmlNewDoc(BAD_CAST "1.0");
        c->domain = xmlNewDocNode(c->doc, NULL, BAD_CAST "domain", NULL);
        xmlDocSetRootElement(c->doc, c->domain);
    }
    c->os = child(c->domain, "os");
    c->features = child(c->domain, "features");
    c->devices = child(c->domain, "devices");
}

/* As the first of its siblings, where people look for it. */
static xmlNodePtr add_first(xmlNodePtr parent, const char *name,
                            const char *value)
{
    xmlNodePtr node = add(parent, name, value);

    if (node != parent->children) {
        xmlUnlinkNode(node);
        xmlAddPrevSibling(parent->children, node);
    }
    return node;
}

/* In the order in which libvirt prints them, for people. */
static void order_children(xmlNodePtr domain)
{
    static const char *const order[] = {
        "name",      "uuid",     "genid",        "title",     "description",
        "metadata",  "memory",   "currentMemory", "vcpu",     "cputune",   "numatune",
        "resource",  "sysinfo",  "os",           "features",  "cpu",
        "clock",     "on_poweroff", "on_reboot", "on_crash",  "on_lockfailure",
        "pm",        "devices",
    };

    for (unsigned int i = 0; i < G_N_ELEMENTS(order); i++) {
        xmlNodePtr node = find_child(domain, order[i]);

        if (node) {
            xmlUnlinkNode(node);
            xmlAddChild(domain, node);
        }
    }
}

void domain_complete(Conversion *c)
{
    xmlNodePtr type;

    set(c->domain, "type", c->options->type);
    type = add_first(c->os, "type", "hvm");
    set(type, "arch", "x86_64");
    set(type, "machine", c->guest == GUEST_PV ? MACHINE_PV : MACHINE_HVM);
    child(c->features, "acpi");
    child(c->features, "apic");
    add_first(c->devices, "emulator", c->options->emulator);
    if (!find_device(c, "controller", "type", "usb")) {
        xmlNodePtr usb = add(c->devices, "controller", NULL);

        /* Without it libvirt adds one. */
        set(usb, "type", "usb");
        set(usb, "model", "none");
    }
    if (!find_child(c->devices, "console")) {
        xmlNodePtr console = add(c->devices, "console", NULL);
        xmlNodePtr target = add(console, "target", NULL);

        set(console, "type", "pty");
        set(target, "type", "xen");
        set(target, "port", "0");
    }
    set(child(c->devices, "memballoon"), "model", "xen");
    order_children(c->domain);
}

/* An XML file begins with '<', which an xl.cfg cannot. */
static gboolean is_xml(const char *text, size_t length)
{
    while (length && strchr(" \t\r\n", *text)) {
        text++;
        length--;
    }
    return length && (*text == '<' || !memcmp(text, "\xef\xbb\xbf", MIN(length, 3)));
}

gboolean conversion_run(Conversion *c, const char *text, size_t length)
{
    if (memchr(text, '\0', length) || !g_utf8_validate(text, length, NULL)) {
        report_error(c, 0, "not a text in UTF-8: give an xl.cfg or libxl's XML");
        return FALSE;
    }
    if (is_xml(text, length)) {
        read_libxl_xml(c, text, length);
    } else {
        read_xl_cfg(c, text, length);
    }
    report_all_unknown(c);
    if (!c->errors) {
        domain_complete(c);
        if (c->options->stock) {
            domain_make_stock(c);
        }
    }
    return !c->errors;
}
