/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machine types that are Xen guests' without further options, for management
 * software that writes its own -machine and -accel.
 *
 * libvirt takes a machine for an i440FX by "pc-i440fx-" at the beginning of its
 * name.  What a type offers is part of its name and never changes, so that
 * migration, which compares names, compares this as well.
 */

#include "qemu/osdep.h"
#include "qemu/module.h"
#include "hw/boards.h"
#include "hw/i386/pc.h"
#include "hw/xen/xen.h"
#include "target/i386/cpu-qom.h"

#include "dense/machine.h"
#include "machine_types.h"

#define PARENT MACHINE_TYPE_NAME("pc-i440fx-10.0")

static const XenMachineType types[] = {
    {
        .type_name = MACHINE_TYPE_NAME("pc-i440fx-10.0-xen4.17"),
        .desc = "Xen 4.17 HVM or PVH guest (i440FX + PIIX, 1996)",
        .xen_version = 0x40011,
        .evtchn_abi = "fifo",
    },
    {
        .type_name = MACHINE_TYPE_NAME("pc-i440fx-10.0-xenpv4.17"),
        .desc = "Xen 4.17 PV guest (i440FX + PIIX, 1996)",
        .xen_version = 0x40011,
        .evtchn_abi = "fifo",
        .pv = true,
    },
    {
        .type_name = MACHINE_TYPE_NAME("dense-10.0-xen4.17"),
        .desc = "Xen 4.17 PVH or PV guest, without the hardware of a PC",
        .xen_version = 0x40011,
        .evtchn_abi = "fifo",
        .dense = true,
    },
};

const XenMachineType *xen_machine_type(Object *machine)
{
    const char *name = machine ? object_get_typename(machine) : "";
    size_t i;

    for (i = 0; i < ARRAY_SIZE(types); i++) {
        if (!strcmp(name, types[i].type_name)) {
            return &types[i];
        }
    }
    return NULL;
}

/*
 * Not when an instance is made: libvirt's qom-list-properties makes one of each
 * type, which must not turn QEMU into a Xen guest's.
 */
static void init(MachineState *ms)
{
    ObjectClass *parent = object_class_by_name(PARENT);

    xen_mode = XEN_EMULATE;
    MACHINE_CLASS(parent)->init(ms);
}

/*
 * What the monitor wants of any processor, if it is not told otherwise.  The default
 * is the parent's: libvirt takes a domain that names none for one with that model.
 */
static GlobalProperty pv_processor[] = {
    { TYPE_X86_CPU, "x2apic", "on" },
    { TYPE_X86_CPU, "smep", "on" },
    { TYPE_X86_CPU, "smap", "on" },
};

static void copy_compat_prop(gpointer prop, gpointer props)
{
    g_ptr_array_add(props, prop);
}

static void class_init(ObjectClass *oc, void *data)
{
    const XenMachineType *type = data;
    MachineClass *mc = MACHINE_CLASS(oc);
    MachineClass *parent = MACHINE_CLASS(object_class_get_parent(oc));

    g_ptr_array_foreach(parent->compat_props, copy_compat_prop,
                        mc->compat_props);
    mc->desc = type->desc;
    mc->alias = NULL;
    mc->is_default = false;
    mc->init = init;
    if (type->pv) {
        compat_props_add(mc->compat_props, pv_processor,
                         G_N_ELEMENTS(pv_processor));
    }
}

static void register_types(void)
{
    size_t i;

    for (i = 0; i < ARRAY_SIZE(types); i++) {
        TypeInfo info = {
            .name = types[i].type_name,
            .parent = types[i].dense ? TYPE_PC_MACHINE : PARENT,
            .class_init = types[i].dense ? xen_dense_class_init : class_init,
            .class_data = (void *)&types[i],
        };

        type_register_static(&info);
    }
}

type_init(register_types)
