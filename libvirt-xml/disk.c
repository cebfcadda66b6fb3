/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks.  libxlutil, xl's own parser, reads the strings of disk=.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain.h"

/* The first disks that libxl emulates on IDE in an HVM guest. */
#define IDE_DISKS 4

static const struct Format {
    libxl_disk_format xen;
    const char *libvirt;
} formats[] = {
    { LIBXL_DISK_FORMAT_RAW, "raw" },   { LIBXL_DISK_FORMAT_QCOW, "qcow" },
    { LIBXL_DISK_FORMAT_QCOW2, "qcow2" }, { LIBXL_DISK_FORMAT_VHD, "vpc" },
    { LIBXL_DISK_FORMAT_QED, "qed" },   { LIBXL_DISK_FORMAT_EMPTY, NULL },
};

static void report_disk(Conversion *c, int line, const char *name)
{
    g_autofree char *whole = g_strdup_printf("disk.%s", name);

    report_key(c, line, whole, key_find(&keys_disk, name));
}

/* Parameters that say what is so anyway are fine, although their keys are not. */
static gboolean is_domain_0(const char *domain)
{
    return !strcmp(domain, "0") || !strcmp(domain, "Domain-0");
}

/*
 * Takes out the parameters that not each version of libxlutil knows.  target= takes
 * the rest of the string.
 */
static char *take_new_keys(Conversion *c, int line, const char *spec)
{
    g_autoptr(GString) rest = g_string_new(NULL);
    gboolean is_first = TRUE;

    while (*spec) {
        size_t blanks = strspn(spec, " \t");
        size_t length = strcspn(spec, ",");
        g_autofree char *part = g_strndup(spec + blanks, length - MIN(length, blanks));

        g_strchomp(part);
        if (g_str_has_prefix(part, "target=")) {
            g_string_append_printf(rest, "%s%s", is_first ? "" : ",", spec);
            break;
        }
        if (!strcmp(part, "trusted")) {
            report_neutral(c, line, "disk.trusted");
        } else if (!strcmp(part, "untrusted")) {
            report_disk(c, line, "trusted");
        } else if (!strcmp(part, "grant_usage=0") ||
                   !strcmp(part, "grant_usage=1")) {
            report_disk(c, line, "grant_usage");
        } else {
            g_string_append_printf(rest, "%s%.*s", is_first ? "" : ",",
                                   (int)length, spec);
            is_first = FALSE;
        }
        spec += length + (spec[length] == ',');
    }
    return g_strdup(rest->str);
}

/* Reports each key of a disk that was set; false if one is refused. */
static void report_parameters(Conversion *c, int line,
                              const libxl_device_disk *disk)
{
    report_disk(c, line, "target");
    report_disk(c, line, "format");
    report_disk(c, line, "vdev");
    report_disk(c, line, "access");
    if (disk->is_cdrom) {
        report_disk(c, line, "devtype");
    }
    if (disk->backend_domname && is_domain_0(disk->backend_domname)) {
        report_neutral(c, line, "disk.backend");
    } else if (disk->backend_domname) {
        report_disk(c, line, "backend");
    }
    if (disk->backend == LIBXL_DISK_BACKEND_QDISK) {
        report_neutral(c, line, "disk.backendtype");
    } else if (disk->backend != LIBXL_DISK_BACKEND_UNKNOWN) {
        report_disk(c, line, "backendtype");
    }
    if (disk->script) {
        report_disk(c, line, "script");
    }
    if (disk->direct_io_safe) {
        report_disk(c, line, "direct-io-safe");
    }
    if (!libxl_defbool_is_default(disk->discard_enable)) {
        report_disk(c, line, "discard");
    }
    if (disk->specification != LIBXL_DISK_SPECIFICATION_UNKNOWN) {
        report_disk(c, line, "specification");
    }
    if (!libxl_defbool_is_default(disk->colo_enable) || disk->colo_host ||
        disk->colo_port || disk->colo_export) {
        report_disk(c, line, "colo");
    }
    if (disk->active_disk) {
        report_disk(c, line, "active-disk");
    }
    if (disk->hidden_disk) {
        report_disk(c, line, "hidden-disk");
    }
}

static gboolean is_taken(Conversion *c, const char *vdev)
{
    for (xmlNodePtr node = c->devices->children; node; node = node->next) {
        if (!strcmp((const char *)node->name, "disk") &&
            has(find_child(node, "target"), "dev", vdev)) {
            return TRUE;
        }
    }
    return FALSE;
}

/*
 * A vdev as Linux's device names, also of "d0p1", the disk and its partition in
 * figures.  NULL if it is none.
 */
static char *device_name(const char *vdev)
{
    g_autoptr(GMatchInfo) match = NULL;
    g_autoptr(GRegex) figures =
        g_regex_new("^d([0-9]{1,3})p([0-9]{1,2})$", 0, 0, NULL);

    if (g_regex_match_simple("^(xvd|hd|sd)[a-z]{1,2}([1-9][0-9]?)?$", vdev, 0,
                             0)) {
        return g_strdup(vdev);
    }
    if (g_regex_match(figures, vdev, 0, &match)) {
        g_autofree char *disk_text = g_match_info_fetch(match, 1);
        g_autofree char *partition_text = g_match_info_fetch(match, 2);
        int disk = atoi(disk_text), partition = atoi(partition_text);
        GString *name = g_string_new("xvd");

        if (disk >= 26) {
            g_string_append_c(name, 'a' + MIN(disk / 26 - 1, 25));
        }
        g_string_append_c(name, 'a' + disk % 26);
        if (partition) {
            g_string_append_printf(name, "%d", partition);
        }
        return g_string_free(name, disk >= 26 * 27);
    }
    return NULL;
}

/*
 * Which bus the guest finds it on.  In an HVM guest libxl emulates the first four disks
 * on IDE, whatever their names begin with, and sd* on SCSI: firmware boots from these.
 * A guest with a kernel of its own needs none that is emulated.
 */
static void set_target(Conversion *c, Settings *cfg, int line,
                       xmlNodePtr target, char *name, gboolean is_cdrom,
                       gboolean is_emulated)
{
    const char *hdtype = setting_string(cfg, "hdtype");
    const char *ide = hdtype && !strcmp(hdtype, "ahci") ? "sata" : "ide";
    gboolean is_hvm = c->guest == GUEST_HVM && is_emulated;
    const char *bus = "xen";

    if (hdtype && strcmp(hdtype, "ahci") && strcmp(hdtype, "ide")) {
        report_error(c, setting_line(cfg, "hdtype"),
                     "hdtype: '%s' is none of: ide, ahci", hdtype);
    }
    if (is_hvm && g_str_has_prefix(name, "sd")) {
        bus = "scsi";
    } else if (is_hvm && g_str_has_prefix(name, "hd")) {
        bus = ide;
    } else if (is_hvm && (c->by_firmware || is_cdrom) &&
               g_regex_match_simple("^xvd[a-d]$", name, 0, 0)) {
        g_autofree char *emulated = g_strdup_printf("hd%c", name[3]);

        if (!is_taken(c, emulated)) {
            strcpy(name, emulated);
            bus = ide;
        }
    }
    if (strcmp(bus, "xen") && g_ascii_isdigit(name[strlen(name) - 1])) {
        report_error(c, line, "disk: %s: an emulated disk has no partitions of "
                     "its own: give the whole disk, or an xvd name", name);
    }
    if (!strcmp(bus, "ide") && name[2] >= 'a' + IDE_DISKS) {
        report_error(c, line, "disk: %s: IDE has four disks: give an xvd name",
                     name);
    }
    set(target, "dev", name);
    set(target, "bus", bus);
}

static void add_disk(Conversion *c, Settings *cfg, int line,
                     const libxl_device_disk *parsed)
{
    gboolean is_cdrom = parsed->is_cdrom && c->guest == GUEST_HVM;
    gboolean is_virtio = parsed->specification == LIBXL_DISK_SPECIFICATION_VIRTIO;
    const char *path = parsed->pdev_path ? parsed->pdev_path : "";
    g_autofree char *whole_path =
        g_strdup_printf("%s%s", *path == '/' ? "" : "/dev/", path);
    gboolean is_block = g_str_has_prefix(whole_path, "/dev/");
    g_autofree char *name = device_name(parsed->vdev);
    const char *format = "raw";
    xmlNodePtr disk, driver, target;

    if (!name) {
        report_error(c, line, "disk: '%s' is no vdev: give one like xvda",
                     parsed->vdev);
        return;
    }
    if (!*path && !is_cdrom) {
        report_warning(c, line, "disk: %s dropped: a %s guest has no drive "
                       "without a medium", name, guest_type_name(c->guest));
        return;
    }
    for (unsigned int i = 0; i < G_N_ELEMENTS(formats); i++) {
        if (formats[i].xen == parsed->format && formats[i].libvirt) {
            format = formats[i].libvirt;
        }
    }
    disk = xmlNewDocNode(c->doc, NULL, BAD_CAST "disk", NULL);
    set(disk, "type", *path && is_block ? "block" : "file");
    set(disk, "device", is_cdrom ? "cdrom" : "disk");
    driver = add(disk, "driver", NULL);
    set(driver, "name", "qemu");
    set(driver, "type", format);
    if (parsed->direct_io_safe) {
        set(driver, "cache", "none");
    }
    if (parsed->readwrite) {
        gboolean discard = libxl_defbool_is_default(parsed->discard_enable) ||
                           libxl_defbool_val(parsed->discard_enable);

        set(driver, "discard", discard ? "unmap" : "ignore");
    }
    if (*path) {
        set(add(disk, "source", NULL), is_block ? "dev" : "file", whole_path);
    }
    target = add(disk, "target", NULL);
    if (is_virtio && g_str_has_prefix(name, "xvd")) {
        set(target, "dev", name + 1);
        set(target, "bus", "virtio");
    } else {
        /* libvirt has no read-only disks on IDE, and firmware needs none. */
        set_target(c, cfg, line, target, name, is_cdrom,
                   is_cdrom || parsed->readwrite);
    }
    if (!parsed->readwrite) {
        add(disk, "readonly", NULL);
    }
    g_autofree char *dev = get(target, "dev");
    if (is_taken(c, dev)) {
        report_error(c, line, "disk: there is another %s: give another vdev",
                     dev);
    }
    xmlAddChild(c->devices, disk);
}

static void map_disk(Conversion *c, Settings *cfg, int line, const char *spec)
{
    g_autofree char *known = take_new_keys(c, line, spec);
    const char *const specs[] = { known };
    char *said = NULL;
    size_t said_size = 0;
    FILE *report = open_memstream(&said, &said_size);
    XLU_Config *xlu = xlu_cfg_init(report, "xl");
    libxl_device_disk parsed;
    unsigned int errors = c->errors;
    int status;

    libxl_device_disk_init(&parsed);
    status = xlu_disk_parse(xlu, 1, specs, &parsed);
    fflush(report);
    /* It goes on to the end without a vdev, and then has said so. */
    if (status || said_size) {
        report_libxlutil(c, line, said_size ? said : "disk: it cannot be parsed",
                         "see xl-disk-configuration(5)");
    } else {
        report_parameters(c, line, &parsed);
        if (c->errors == errors) {
            add_disk(c, cfg, line, &parsed);
        }
    }
    libxl_device_disk_dispose(&parsed);
    xlu_cfg_destroy(xlu);
    fclose(report);
    free(said);
}

void map_disks(Conversion *c, Settings *cfg)
{
    g_auto(GStrv) disks = setting_strings(cfg, "disk");

    for (char **disk = disks; *disk; disk++) {
        map_disk(c, cfg, setting_line(cfg, "disk"), *disk);
    }
}
