/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's type, and how it boots: a kernel of the host's, a boot loader, or
 * firmware.
 */

#include <string.h>

#include "domain.h"

const char *guest_type_name(GuestType type)
{
    static const char *const names[] = { "PV", "HVM", "PVH" };

    return names[type];
}

gboolean is_path(Conversion *c, int line, const char *key, const char *path)
{
    if (*path != '/' || !path[1]) {
        report_error(c, line, "%s: '%s' is not an absolute path: give one", key, path);
        return FALSE;
    }
    if (c->guest == GUEST_PV && strchr(path, ' ')) {
        report_error(c, line, "%s: '%s': a PV guest's files have no spaces in "
                     "their names: rename it", key, path);
        return FALSE;
    }
    return TRUE;
}

static void map_type(Conversion *c, Settings *cfg)
{
    const char *type = setting_string(cfg, "type");
    const char *builder = setting_string(cfg, "builder");
    gboolean pvshim = setting_bool(cfg, "pvshim", FALSE);

    if (type ? !strcmp(type, "hvm") : builder && !strcmp(builder, "hvm")) {
        c->guest = GUEST_HVM;
    } else if (type && !strcmp(type, "pvh")) {
        c->guest = pvshim ? GUEST_PV : GUEST_PVH;
    } else if (type && strcmp(type, "pv")) {
        report_error(c, setting_line(cfg, "type"),
                     "type: '%s' is none of: pv, hvm, pvh", type);
    } else {
        c->guest = GUEST_PV;
        if (builder && strcmp(builder, "generic") && strcmp(builder, "linux")) {
            report_error(c, setting_line(cfg, "builder"),
                         "builder: '%s' is none of: generic, linux, hvm",
                         builder);
        }
    }
    if (c->guest == GUEST_PVH) {
        report_warning(c, setting_line(cfg, "type"),
                       "type: a PVH guest becomes an HVM guest that boots its "
                       "kernel directly");
    }
}

static void map_cmdline(Conversion *c, Settings *cfg)
{
    g_autoptr(GString) line = g_string_new(NULL);

    /* As in xl, cmdline stands before the two that it replaces. */
    if (setting(cfg, "cmdline")) {
        const char *cmdline = setting_string(cfg, "cmdline");

        g_string_assign(line, cmdline ? cmdline : "");
    } else {
        const char *root = setting_string(cfg, "root");
        const char *extra = setting_string(cfg, "extra");

        if (root) {
            g_string_append_printf(line, "root=%s", root);
        }
        if (extra) {
            g_string_append_printf(line, "%s%s", line->len ? " " : "", extra);
        }
    }
    if (line->len) {
        add(c->os, "cmdline", line->str);
    }
}

static void add_kernel(Conversion *c, Settings *cfg, const char *kernel)
{
    add(c->os, "kernel", kernel);
    if (setting(cfg, "ramdisk")) {
        const char *ramdisk = setting_string(cfg, "ramdisk");

        if (ramdisk && *ramdisk &&
            is_path(c, setting_line(cfg, "ramdisk"), "ramdisk", ramdisk)) {
            add(c->os, "initrd", ramdisk);
        }
    }
    map_cmdline(c, cfg);
}

static const char *grub_for(Conversion *c, Settings *cfg, const char *firmware)
{
    const char *grub = c->guest == GUEST_PVH ? GRUB_PVH : GRUB_PV64;

    if (firmware && !strcmp(firmware, "pvgrub32")) {
        grub = GRUB_PV32;
        c->has_shim = c->guest == GUEST_PV;
    }
    if (setting(cfg, "bootloader")) {
        const char *bootloader = setting_string(cfg, "bootloader");

        report_warning(c, setting_line(cfg, "bootloader"),
                       "bootloader: %s becomes %s, which boots what the guest's "
                       "own grub.cfg says", bootloader ? bootloader : "it",
                       grub);
    }
    return grub;
}

static void map_pv_boot(Conversion *c, Settings *cfg)
{
    const char *kernel = setting_string(cfg, "kernel");
    const char *firmware = setting_string(cfg, "firmware");

    if (kernel && *kernel) {
        if (is_path(c, setting_line(cfg, "kernel"), "kernel", kernel)) {
            add_kernel(c, cfg, kernel);
        }
        return;
    }
    if (firmware && strcmp(firmware, "pvgrub32") &&
        strcmp(firmware, "pvgrub64")) {
        report_error(c, setting_line(cfg, "firmware"),
                     "firmware: '%s' is not for a %s guest: give pvgrub64, or "
                     "a kernel", firmware, guest_type_name(c->guest));
        return;
    }
    add_kernel(c, cfg, grub_for(c, cfg, firmware));
}

static void map_boot_order(Conversion *c, Settings *cfg)
{
    const char *boot = setting_string(cfg, "boot");

    for (const char *p = boot && *boot ? boot : "cd"; *p; p++) {
        const char *device = *p == 'c'   ? "hd"
                             : *p == 'd' ? "cdrom"
                             : *p == 'n' ? "network"
                             : *p == 'a' ? "fd"
                                         : NULL;

        if (!device) {
            report_error(c, setting_line(cfg, "boot"),
                         "boot: '%s': give letters of: c, d, n", boot);
            return;
        }
        set(add(c->os, "boot", NULL), "dev", device);
    }
}

static void add_loader(Conversion *c, int line, const char *key,
                       const char *path)
{
    if (is_path(c, line, key, path)) {
        xmlNodePtr loader = add(c->os, "loader", path);

        set(loader, "readonly", "yes");
        set(loader, "type", "rom");
    }
}

/* Returns true if it is a name of UEFI, and adds nothing for the BIOS. */
static gboolean is_uefi(Conversion *c, Settings *cfg, const char *key)
{
    const char *name = setting_string(cfg, key);

    if (!name || !*name || !strcmp(name, "bios") || !strcmp(name, "seabios")) {
        return FALSE;
    }
    if (!strcmp(name, "uefi") || !strcmp(name, "ovmf")) {
        return TRUE;
    }
    if (!strcmp(name, "rombios")) {
        report_warning(c, setting_line(cfg, key),
                       "%s: ROMBIOS becomes SeaBIOS", key);
        return FALSE;
    }
    if (*name == '/' && !strcmp(key, "firmware")) {
        add_loader(c, setting_line(cfg, key), key, name);
        return FALSE;
    }
    report_error(c, setting_line(cfg, key),
                 "%s: '%s' is none of: seabios, ovmf, uefi", key, name);
    return FALSE;
}

static void map_firmware(Conversion *c, Settings *cfg)
{
    gboolean uefi = is_uefi(c, cfg, "firmware");
    const char *path = setting_string(cfg, "bios_path_override");

    if (setting(cfg, "bios")) {
        uefi |= is_uefi(c, cfg, "bios");
    }
    if (path && *path) {
        if (!find_child(c->os, "loader")) {
            add_loader(c, setting_line(cfg, "bios_path_override"),
                       "bios_path_override", path);
        }
    } else if (uefi) {
        set(c->os, "firmware", "efi");
    }
}

void map_boot(Conversion *c, Settings *cfg)
{
    const char *kernel;

    map_type(c, cfg);
    if (c->guest != GUEST_HVM) {
        map_pv_boot(c, cfg);
        return;
    }
    kernel = setting_string(cfg, "kernel");
    /* Old files name hvmloader here, which is Xen's firmware. */
    c->by_firmware = !kernel || !*kernel || g_str_has_suffix(kernel, "hvmloader");
    if (c->by_firmware) {
        map_boot_order(c, cfg);
    } else if (is_path(c, setting_line(cfg, "kernel"), "kernel", kernel)) {
        add_kernel(c, cfg, kernel);
    }
    map_firmware(c, cfg);
    if (setting_string(cfg, "acpi_firmware")) {
        const char *path = setting_string(cfg, "acpi_firmware");

        if (is_path(c, setting_line(cfg, "acpi_firmware"), "acpi_firmware",
                    path)) {
            xmlNodePtr acpi = add(c->os, "acpi", NULL);

            set(add(acpi, "table", path), "type", "slic");
        }
    }
}
