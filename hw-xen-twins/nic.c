/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The emulated twin of a Xen NIC
 *
 * A netdev has one peer. It is the emulated NIC while firmware, or a guest without
 * Xen's drivers, uses that, and the Xen NIC else.
 */

#include "qemu/osdep.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pci_device.h"
#include "hw/qdev-properties.h"
#include "hw/xen-twins/twins.h"
#include "qapi/error.h"

/*
 * Each NIC has the netdev prepend the header that it wants. What a NIC wants is kept in
 * its own client while it has no netdev.
 */
static void use_header(NetClientState *netdev, int length)
{
    qemu_set_offload(netdev, 0, 0, 0, 0, 0, 0, 0);
    if (length) {
        qemu_set_vnet_hdr_len(netdev, length);
    } else {
        netdev->vnet_hdr_len = 0; /* no netdev takes a call with 0 */
    }
}

/* Packets that are on their way to @from are lost, as on a wire that is moved. */
static void move_netdev(NICState *from, NICState *to)
{
    int i, queues = MAX(from->conf->peers.queues, 1);

    for (i = 0; i < queues; i++) {
        NetClientState *old = qemu_get_subqueue(from, i);
        NetClientState *new = qemu_get_subqueue(to, i);
        NetClientState *netdev = old->peer;

        qemu_purge_queued_packets(old);
        qemu_purge_queued_packets(netdev);
        old->peer = NULL;
        new->peer = netdev;
        netdev->peer = new;
        old->vnet_hdr_len = netdev->vnet_hdr_len;
        use_header(netdev, new->vnet_hdr_len);
        new->link_down = old->link_down;
    }
    to->peer_deleted = from->peer_deleted;
    from->peer_deleted = false;
}

void xen_nic_twin_update(NICState *nic, NICState *emulated, bool to_xen)
{
    NICState *from = to_xen ? emulated : nic;

    if (qemu_get_queue(from)->peer) {
        move_netdev(from, to_xen ? nic : emulated);
    }
}

void xen_nic_twin_set_link(NICState *emulated, bool link_down)
{
    int i;

    for (i = 0; i < MAX(emulated->conf->peers.queues, 1); i++) {
        qemu_get_subqueue(emulated, i)->link_down = link_down;
    }
    if (emulated->ncs->info->link_status_changed) {
        emulated->ncs->info->link_status_changed(emulated->ncs);
    }
}

static bool is_emulated_nic(const char *type)
{
    ObjectClass *class = module_object_class_by_name(type);

    return class && object_class_dynamic_cast(class, TYPE_PCI_DEVICE) &&
           !object_class_is_abstract(class) &&
           !object_class_dynamic_cast(class, "virtio-pci") &&
           test_bit(DEVICE_CATEGORY_NETWORK, DEVICE_CLASS(class)->categories);
}

static void take_netdev(NICState *nic, NetClientState **netdev)
{
    int i;

    for (i = 0; i < MAX(nic->conf->peers.queues, 1) && netdev[i]; i++) {
        qemu_get_subqueue(nic, i)->vnet_hdr_len = netdev[i]->vnet_hdr_len;
        use_header(netdev[i], 0);
        qemu_get_subqueue(nic, i)->peer = NULL;
        netdev[i]->peer = NULL;
    }
}

static void give_netdev_back(NICState *nic, NetClientState **netdev)
{
    int i;

    for (i = 0; i < MAX(nic->conf->peers.queues, 1) && netdev[i]; i++) {
        qemu_get_subqueue(nic, i)->peer = netdev[i];
        netdev[i]->peer = qemu_get_subqueue(nic, i);
        use_header(netdev[i], qemu_get_subqueue(nic, i)->vnet_hdr_len);
    }
}

bool xen_nic_twin_create(DeviceState *xen_nic, NICState *nic, const char *type,
                         int32_t devfn, NICState **emulated, Error **errp)
{
    PCIBus *bus = (PCIBus *)xen_twin_find_bus(NULL, TYPE_PCI_BUS);
    NetClientState **netdev = nic->conf->peers.ncs;
    DeviceState *dev;

    if (!is_emulated_nic(type)) {
        error_setg(
            errp,
            "emulated=%s: not an emulated PCI network card, as e1000 and "
            "rtl8139 are",
            type);
        return false;
    }
    if (!bus) {
        error_setg(errp, "emulated=%s: this machine has no PCI bus", type);
        return false;
    }

    /* Out of the way of what is placed from the first slot on */
    if (devfn < 0) {
        devfn = pci_bus_last_free_slot(bus);
    }
    take_netdev(nic, netdev);
    dev = qdev_new(type);
    qdev_prop_set_int32(dev, "addr", devfn);
    qdev_prop_set_macaddr(dev, "mac", nic->conf->macaddr.a);
    if (netdev[0]) {
        qdev_prop_set_netdev(dev, "netdev", netdev[0]);
    }
    if (!xen_twin_realize(xen_nic, dev, BUS(bus), nic->conf->bootindex, errp)) {
        error_prepend(errp, "emulated=%s: ", type);
        object_unparent(OBJECT(dev));
        give_netdev_back(nic, netdev);
        return false;
    }
    *emulated = netdev[0] ? qemu_get_nic(netdev[0]->peer) : NULL;
    if (xen_nic->hotplugged) {
        pci_set_power(PCI_DEVICE(dev), false);
    }
    return true;
}

void xen_nic_twin_remove(DeviceState *xen_nic)
{
    DeviceState *emulated = xen_twin_of(xen_nic);

    if (emulated) {
        object_unparent(OBJECT(emulated));
    }
}
