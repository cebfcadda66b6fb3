/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine properties of PV guests, and what they come to. */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/qapi-types-common.h"
#include "qapi/qapi-visit-common.h"
#include "qapi/visitor.h"
#include "qemu/error-report.h"
#include "hw/xen/xen.h"
#include "system/kvm.h"

#include "../machine_types.h"
#include "kernel_elf.h"
#include "machine.h"
#include "meltdown.h"
#include "payload.h"
#include "vcpus.h"

#define XEN_GUEST_PROPERTY "xen-guest"
#define XEN_LAYER_PROPERTY "xen-pv-layer"
#define XEN_EVENTS_PROPERTY "xen-pv-events"
#define XEN_ISOLATION_PROPERTY "xen-pv-isolation"

/* What is below the guest. */
typedef enum XenPVLayer {
    XEN_PV_BY_KERNEL,           /* the shim for a 32-bit kernel, else the monitor */
    XEN_PV_MONITOR,
    XEN_PV_SHIM,
} XenPVLayer;

/* As given. */
static bool wants_pv;
static XenPVLayer wanted_layer;
static bool own_events = true;
static OnOffAuto wanted_isolation;

bool xen_pv_machine_is_pv(Object *machine)
{
    const XenMachineType *type = xen_machine_type(machine);

    return wants_pv || (type && type->pv);
}

/* What was unpacked to look at it, until the guest is built from it. */
static GBytes *unpacked_kernel;

/* A file that is no kernel is not one: the builder says what is wrong with it. */
static bool is_32_bit_kernel(const char *name)
{
    g_autoptr(GMappedFile) file = name ? g_mapped_file_new(name, false, NULL) : NULL;
    g_autoptr(GBytes) bytes = file ? g_mapped_file_get_bytes(file) : NULL;
    XenKernelElf elf;

    unpacked_kernel = bytes ? xen_pv_payload(bytes, NULL) : NULL;
    return unpacked_kernel &&
           xen_kernel_elf_open(&elf, unpacked_kernel, NULL) && !elf.is_64;
}

GBytes *xen_pv_machine_take_kernel(void)
{
    return g_steal_pointer(&unpacked_kernel);
}

/* From when the options are known until there is no kernel to look at any more. */
static XenPVLayer get_layer_of(MachineState *ms)
{
    static XenPVLayer by_kernel;

    if (wanted_layer != XEN_PV_BY_KERNEL) {
        return wanted_layer;
    }
    if (by_kernel == XEN_PV_BY_KERNEL) {
        by_kernel = is_32_bit_kernel(ms->kernel_filename) ? XEN_PV_SHIM :
                                                            XEN_PV_MONITOR;
    }
    return by_kernel;
}

bool xen_pv_machine_has_monitor(void)
{
    return xen_pv_machine_is_pv(OBJECT(current_machine)) &&
           get_layer_of(current_machine) == XEN_PV_MONITOR;
}

bool xen_pv_machine_has_shim(void)
{
    return xen_pv_machine_is_pv(OBJECT(current_machine)) &&
           get_layer_of(current_machine) == XEN_PV_SHIM;
}

bool xen_pv_machine_has_own_events(void)
{
    return own_events;
}

/* TCG looks at a page's rights before it reads it. */
bool xen_pv_machine_needs_isolation(void)
{
    bool needed = kvm_enabled() && processor_has_meltdown(MELTDOWN_FILE);

    if (needed && wanted_isolation == ON_OFF_AUTO_OFF) {
        warn_report(XEN_ISOLATION_PROPERTY "=off: a program in this PV guest can "
                    "read all of the guest's memory, as this processor has "
                    "Meltdown");
    }
    return wanted_isolation == ON_OFF_AUTO_AUTO ? needed :
                                                  wanted_isolation == ON_OFF_AUTO_ON;
}

static char *get_guest(Object *obj, Error **errp)
{
    return g_strdup(xen_pv_machine_is_pv(obj) ? "pv" : "hvm");
}

static void set_guest(Object *obj, const char *value, Error **errp)
{
    if (!strcmp(value, "pv")) {
        wants_pv = true;
        xen_mode = XEN_EMULATE;
    } else if (!strcmp(value, "hvm")) {
        wants_pv = false;
        if (xen_pv_machine_is_pv(obj)) {
            error_setg(errp, XEN_GUEST_PROPERTY "=hvm: this machine type is a "
                       "PV guest's: take -machine pc-i440fx-10.0-xen4.17");
        }
    } else {
        error_setg(errp, XEN_GUEST_PROPERTY "=%s: must be hvm or pv", value);
    }
}

static char *get_layer(Object *obj, Error **errp)
{
    static const char *const names[] = { "auto", "monitor", "shim" };

    return g_strdup(names[wanted_layer]);
}

static void set_layer(Object *obj, const char *value, Error **errp)
{
    if (!strcmp(value, "auto")) {
        wanted_layer = XEN_PV_BY_KERNEL;
    } else if (!strcmp(value, "monitor")) {
        wanted_layer = XEN_PV_MONITOR;
    } else if (!strcmp(value, "shim")) {
        wanted_layer = XEN_PV_SHIM;
    } else {
        error_setg(errp, XEN_LAYER_PROPERTY "=%s: must be auto, monitor or shim",
                   value);
    }
}

static char *get_events(Object *obj, Error **errp)
{
    return g_strdup(own_events ? "monitor" : "qemu");
}

static void set_events(Object *obj, const char *value, Error **errp)
{
    if (!strcmp(value, "monitor")) {
        own_events = true;
    } else if (!strcmp(value, "qemu")) {
        own_events = false;
    } else {
        error_setg(errp, XEN_EVENTS_PROPERTY "=%s: must be monitor or qemu",
                   value);
    }
}

static void visit_isolation(Object *obj, Visitor *v, const char *name,
                            void *opaque, Error **errp)
{
    visit_type_OnOffAuto(v, name, &wanted_isolation, errp);
}

void xen_pv_machine_class_init(ObjectClass *oc)
{
    xen_pv_vcpus_class_init(oc);
    object_class_property_add_str(oc, XEN_LAYER_PROPERTY, get_layer, set_layer);
    object_class_property_set_description(oc, XEN_LAYER_PROPERTY,
        "What is below a PV guest: monitor, or shim, Xen's PV shim; auto (the "
        "default) is the shim for a 32-bit kernel, else the monitor");
    object_class_property_add_str(oc, XEN_EVENTS_PROPERTY, get_events,
                                  set_events);
    object_class_property_set_description(oc, XEN_EVENTS_PROPERTY,
        "Where a PV guest's events are: monitor (the default), within the "
        "guest's machine, or qemu");
    object_class_property_add(oc, XEN_ISOLATION_PROPERTY, "OnOffAuto",
                              visit_isolation, visit_isolation, NULL, NULL);
    object_class_property_set_description(oc, XEN_ISOLATION_PROPERTY,
        "Whether programs in a PV guest on the monitor have page tables of their "
        "own: on, off, or auto (the default), which is on where KVM runs on a "
        "processor that has Meltdown");
    object_class_property_add_str(oc, XEN_GUEST_PROPERTY, get_guest, set_guest);
    object_class_property_set_description(oc, XEN_GUEST_PROPERTY,
        "What kind of Xen guest's machine this is: hvm (the default, but for PV "
        "guests' machine types), or pv, "
        "whose kernel -kernel names");
}
