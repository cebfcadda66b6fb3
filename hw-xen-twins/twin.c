/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What twins of disks and of NICs have in common
 */

#include "qemu/osdep.h"
#include "hw/ide/ide-dev.h"
#include "hw/pci/pci_device.h"
#include "hw/sysbus.h"
#include "hw/xen-twins/twins.h"
#include "qapi/error.h"
#include "qapi/visitor.h"

#define CHILD "emulated-device"

DeviceState *xen_twin_of(DeviceState *xen_device)
{
    return (DeviceState *)object_resolve_path_component(OBJECT(xen_device),
                                                        CHILD);
}

bool xen_twin_is_plugged(DeviceState *xen_device)
{
    DeviceState *emulated = xen_twin_of(xen_device);

    if (!emulated) {
        return false;
    }
    if (object_dynamic_cast(OBJECT(emulated), TYPE_IDE_DEVICE)) {
        return ide_dev_is_plugged(IDE_DEVICE(emulated));
    }
    return PCI_DEVICE(emulated)->enabled;
}

static void get_bootindex(Object *obj, Visitor *v, const char *name,
                          void *opaque, Error **errp)
{
    visit_type_int32(v, name, opaque, errp);
}

static void set_bootindex(Object *obj, Visitor *v, const char *name,
                          void *opaque, Error **errp)
{
    DeviceState *emulated = xen_twin_of(DEVICE(obj));
    int32_t *bootindex = opaque;
    int32_t value;

    if (!visit_type_int32(v, name, &value, errp)) {
        return;
    }
    if (!emulated ||
        object_property_set_int(OBJECT(emulated), name, value, errp)) {
        *bootindex = value;
    }
}

void xen_twin_add_bootindex(Object *xen_device, int32_t *bootindex)
{
    *bootindex = -1;
    object_property_add(xen_device, "bootindex", "int32", get_bootindex,
                        set_bootindex, NULL, bootindex);
}

bool xen_twin_realize(DeviceState *xen_device, DeviceState *emulated,
                      BusState *bus, int32_t bootindex, Error **errp)
{
    bool ok;

    /* The guest is told of no plugging, and does not see it before it starts anew */
    emulated->hotplugged = false;
    object_property_add_child(OBJECT(xen_device), CHILD, OBJECT(emulated));
    ok = object_property_set_int(OBJECT(emulated), "bootindex", bootindex,
                                 errp) &&
         qdev_realize(emulated, bus, errp);
    object_unref(OBJECT(emulated));
    return ok;
}

struct search {
    const char *name, *type;
    BusState *found;
};

static int match(BusState *bus, void *opaque)
{
    struct search *search = opaque;

    if ((search->name && strcmp(bus->name, search->name)) ||
        !object_dynamic_cast(OBJECT(bus), search->type)) {
        return 0;
    }
    search->found = bus;
    return -1;
}

BusState *xen_twin_find_bus(const char *name, const char *type)
{
    struct search search = { name, type, NULL };

    qbus_walk_children(sysbus_get_default(), NULL, match, NULL, NULL, &search);
    return search.found;
}
