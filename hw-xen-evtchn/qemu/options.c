/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine properties xen-evtchn-abi and xen-evtchn-max-ports: what the
 * guest may have; and xen-evtchn-traffic: where its events are counted.
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/notify.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "hw/xen/xen.h"
#include "system/system.h"
#include "hw/xen-accel/xen_accel.h"

#include "internal.h"

#define ABI         "xen-evtchn-abi"
#define MAX_PORTS   "xen-evtchn-max-ports"
#define TRAFFIC     "xen-evtchn-traffic"

/* Major and minor of the first Xen with EVTCHNOP_init_control. */
#define XEN_VERSION_FIFO 0x40004

/* A guest that is offered more than one of them has the choice. */
static const struct abi {
    const char *name;
    bool fifo;
    bool three_level;
} abis[] = {
    { "auto" },
    { "2l" },
    { "fifo", .fifo = true },
    { "3l", .three_level = true },
    { "3l+fifo", .fifo = true, .three_level = true },
};

#define ABI_AUTO (&abis[0])

/* As the device itself, a property of the one guest of this process. */
static const struct abi *option_abi; /* NULL: the machine type's, or auto */
static uint32_t option_max_ports;   /* 0: the default */
static char *option_traffic;        /* an absolute path, or NULL: not counted */
static const char *option_set;      /* a property that was */

static void check_xen_mode(Notifier *notifier, void *data)
{
    if (xen_mode != XEN_EMULATE) {
        error_report("-machine %s needs a Xen guest: give -machine "
                     "xen-version=0x40011, with -accel tcg or -accel kvm,"
                     "kernel-irqchip=split",
                     option_set);
        exit(1);
    }
}

/* The accelerator is not known yet when machine properties are set. */
static void check_xen_mode_later(const char *property)
{
    static Notifier notifier = { .notify = check_xen_mode };

    if (!option_set) {
        qemu_add_machine_init_done_notifier(&notifier);
    }
    option_set = property;
}

static const struct abi *find_abi(const char *name)
{
    size_t i;

    for (i = 0; i < ARRAY_SIZE(abis); i++) {
        if (!strcmp(name, abis[i].name)) {
            return &abis[i];
        }
    }
    return NULL;
}

static const struct abi *offered_abi(void)
{
    const char *implied = xen_machine_evtchn_abi();

    if (option_abi) {
        return option_abi;
    }
    return implied ? find_abi(implied) : ABI_AUTO;
}

static char *get_abi(Object *obj, Error **errp)
{
    return g_strdup(offered_abi()->name);
}

static void set_abi(Object *obj, const char *value, Error **errp)
{
    const struct abi *abi = find_abi(value);

    if (!abi) {
        error_setg(errp, ABI "=%s: the choice is auto, 2l, fifo, 3l or 3l+fifo",
                   value);
        return;
    }
    option_abi = abi;
    check_xen_mode_later(ABI);
}

static uint32_t max_ports(void)
{
    if (option_max_ports) {
        return option_max_ports;
    }
    return offered_abi()->three_level ? EVTCHN_MAX_PORTS :
           offered_abi()->fifo ? EVTCHN_FIFO_MAX_PORTS : XEN_EVTCHN_2L_PORTS;
}

static void get_max_ports(Object *obj, Visitor *v, const char *name,
                          void *opaque, Error **errp)
{
    uint32_t value = max_ports();

    visit_type_uint32(v, name, &value, errp);
}

static void set_max_ports(Object *obj, Visitor *v, const char *name,
                          void *opaque, Error **errp)
{
    int64_t value;

    if (!visit_type_int(v, name, &value, errp)) {
        return;
    }
    if (value < 2 || value > EVTCHN_MAX_PORTS) {
        error_setg(errp, MAX_PORTS "=%" PRId64 ": must be from 2 to %d", value,
                   EVTCHN_MAX_PORTS);
        return;
    }
    option_max_ports = value;
    check_xen_mode_later(MAX_PORTS);
}

static char *get_traffic(Object *obj, Error **errp)
{
    return g_strdup(option_traffic ?: "");
}

/* Absolute, so that a reader who asks for the property finds the file. */
static void set_traffic(Object *obj, const char *value, Error **errp)
{
    if (!*value) {
        error_setg(errp, TRAFFIC " needs the name of a file");
        return;
    }
    g_free(option_traffic);
    option_traffic = g_canonicalize_filename(value, NULL);
    check_xen_mode_later(TRAFFIC);
}

void xen_evtchn_machine_class_init(ObjectClass *oc)
{
    object_class_property_add_str(oc, ABI, get_abi, set_abi);
    object_class_property_set_description(oc, ABI,
        "What a Xen guest's event channels may switch to, besides 2-level: 2l "
        "(nothing), fifo, 3l (3-level), 3l+fifo (either), or auto (default): "
        "fifo, but 2l where KVM delivers that in the kernel and "
        "xen-evtchn-max-ports is at most 4096");

    object_class_property_add(oc, MAX_PORTS, "int", get_max_ports,
                              set_max_ports, NULL, NULL);
    object_class_property_set_description(oc, MAX_PORTS,
        "Event-channel ports that a Xen guest may have, 2 to 131072, and to "
        "262144 if xen-evtchn-abi offers 3l (default: the most with fifo and "
        "3l, else 4096); 2l itself ends at 4096, and for a 32-bit guest at "
        "1024, and 3l for such a guest at 32768");

    object_class_property_add_str(oc, TRAFFIC, get_traffic, set_traffic);
    object_class_property_set_description(oc, TRAFFIC,
        "A file to make, in which is counted who sends events to whom: the "
        "page of hw-xen-evtchn/public/event_traffic.h (default: none)");
}

bool xen_evtchn_get_options(bool kvm_has_2l, XenEvtchnOptions *options,
                            Error **errp)
{
    const struct abi *abi = offered_abi();
    uint32_t version = xen_accel->get_xen_version();

    options->max_ports = max_ports();
    options->traffic = option_traffic;
    options->fifo = abi->fifo;
    options->three_level = abi->three_level;
    if (options->max_ports > EVTCHN_FIFO_MAX_PORTS && !options->three_level) {
        error_setg(errp, MAX_PORTS "=%u: above %d a guest needs 3-level: lower "
                   "it, or use " ABI "=3l or 3l+fifo", options->max_ports,
                   EVTCHN_FIFO_MAX_PORTS);
        return false;
    }
    if (version < XEN_VERSION_FIFO && options->fifo) {
        error_setg(errp, ABI "=%s: Xen has FIFO from 4.4 on, and "
                   "xen-version=0x%x is older: raise it, or use " ABI "=%s",
                   abi->name, version,
                   options->three_level ? "3l" : "2l");
        return false;
    }
    if (abi == ABI_AUTO && version >= XEN_VERSION_FIFO) {
        /* FIFO would cost such a guest its fast paths, and gain it nothing. */
        options->fifo = !kvm_has_2l ||
                        options->max_ports > XEN_EVTCHN_2L_PORTS;
    }
    return true;
}
