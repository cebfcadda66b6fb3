/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A 32-bit PV guest, or another if the user wants it so, runs on Xen's PV shim, a
 * Multiboot kernel that takes the guest's kernel and initrd as its modules.
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/datadir.h"
#include "qemu/error-report.h"

#include "pv/payload.h"
#include "pv_layer.h"

#define SHIM            "xen-shim"
#define SHIM_CMDLINE    "pv-shim console=xen,pv"

/* In a list of Multiboot modules a comma ends one, and a space its file name. */
static void append_module_word(GString *list, const char *word)
{
    for (; *word; word++) {
        g_string_append_c(list, *word);
        if (*word == ',') {
            g_string_append_c(list, ',');
        }
    }
}

static void append_file(GString *list, const char *option, const char *file)
{
    if (access(file, R_OK)) {
        error_report("-%s %s: %s", option, file, strerror(errno));
        exit(1);
    }
    if (strchr(file, ' ')) {
        error_report("-%s '%s': a PV guest's files can't have a space in their "
                     "name: rename it", option, file);
        exit(1);
    }
    append_module_word(list, file);
}

/* The shim would panic, when the guest's start has long been reported as done. */
static void require_kernel(const char *file)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GMappedFile) mapped = g_mapped_file_new(file, false, &error);
    g_autoptr(GBytes) bytes = mapped ? g_mapped_file_get_bytes(mapped) : NULL;
    g_autoptr(GBytes) kernel = bytes ? xen_pv_payload(bytes, &error) : NULL;

    if (!kernel) {
        error_report("-kernel %s: %s", file, error->message);
        exit(1);
    }
}

void xen_pv_layer_load(MachineState *ms)
{
    g_autoptr(GString) modules = g_string_new(NULL);
    g_autofree char *shim = qemu_find_file(QEMU_FILE_TYPE_BIOS, SHIM);

    if (!shim) {
        error_report("a 32-bit PV guest, and xen-pv-layer=shim, need Xen's "
                     SHIM ", which is not there: copy it to one of the "
                     "directories that -L help prints, or name its directory "
                     "with -L");
        exit(1);
    }
    append_file(modules, "kernel", ms->kernel_filename);
    require_kernel(ms->kernel_filename);
    if (ms->kernel_cmdline[0]) {
        g_string_append_c(modules, ' ');
        append_module_word(modules, ms->kernel_cmdline);
    }
    if (ms->initrd_filename) {
        g_string_append_c(modules, ',');
        append_file(modules, "initrd", ms->initrd_filename);
    }
    object_property_set_str(OBJECT(ms), "kernel", shim, &error_fatal);
    object_property_set_str(OBJECT(ms), "initrd", modules->str, &error_fatal);
    object_property_set_str(OBJECT(ms), "append", SHIM_CMDLINE, &error_fatal);
}
