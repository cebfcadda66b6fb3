/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys inside of the device strings of xl.cfg: those of
 * xl-disk-configuration(5), xl-network-configuration(5), xl-pci-configuration(5) and
 * of the lists that xl.cfg(5) itself explains.
 */

#include "keys.h"

#define COLO "COLO is Xen's: remove it, and see libvirt's migration"

#define TABLE(variable, its_name, its_title, its_page, its_keys)               \
    const KeyTable variable = {                                                \
        .name = its_name,                                                      \
        .title = its_title,                                                    \
        .page = its_page,                                                      \
        .keys = its_keys,                                                      \
        .n_keys = sizeof(its_keys) / sizeof(its_keys[0]),                      \
    }

static const Key disk[] = {
    { "target", KEY_MAPPED, "<source file='...'>, or dev for what is in /dev", NULL },
    { "format", KEY_MAPPED, "<driver type='...'>; vhd is 'vpc' here", NULL },
    { "vdev", KEY_MAPPED, "<target dev='...'>: bus 'xen', or in an HVM guest 'ide', 'sata' or 'scsi' for disks that are emulated, too", NULL },
    { "access", KEY_MAPPED, "<readonly/>", NULL },
    { "devtype", KEY_MAPPED, "device='cdrom'; in a PV guest a disk that is read-only", NULL },
    { "backend", KEY_REFUSED, "there are no driver domains: give the image's path on this host", "0|Domain-0" },
    { "backendtype", KEY_DROPPED, "QEMU is the back end of each disk", "qdisk" },
    { "script", KEY_REFUSED, "block scripts are not run: give the device's path, or a <source protocol='...'> by hand", NULL },
    { "direct-io-safe", KEY_MAPPED, "<driver cache='none'>", NULL },
    { "discard", KEY_MAPPED, "<driver discard='unmap'>, or 'ignore' for no-discard", NULL },
    { "trusted", KEY_DROPPED, "the back end is trusted", "1" },
    { "specification", KEY_MAPPED, "virtio: <target bus='virtio'>", NULL },
    { "grant_usage", KEY_DROPPED, "QEMU reads the guest's memory", NULL },
    { "colo*", KEY_REFUSED, COLO, NULL },
    { "active-disk", KEY_REFUSED, COLO, NULL },
    { "hidden-disk", KEY_REFUSED, COLO, NULL },
};
TABLE(keys_disk, "disk", "disk=", "xl-disk-configuration(5)", disk);

static const Key vif[] = {
    { "mac", KEY_MAPPED, "<mac address='...'>", NULL },
    { "bridge", KEY_MAPPED, "<source bridge='...'>; without one xenbr0, as in xl", NULL },
    { "gatewaydev", KEY_REFUSED, "routed interfaces are not set up: give a bridge, or a libvirt network with mode='route'", NULL },
    { "netdev", KEY_REFUSED, "routed interfaces are not set up: give a bridge, or a libvirt network with mode='route'", NULL },
    { "type", KEY_MAPPED, "vif: Xen's NIC only; ioemu: an emulated one with it if the guest boots from the network", NULL },
    { "model", KEY_MAPPED, "the emulated NIC's <model type='...'>", NULL },
    { "vifname", KEY_MAPPED, "<target dev='...'>", NULL },
    { "script", KEY_REFUSED, "hotplug scripts are not run: remove it, or use <script> with type='ethernet' by hand", "vif-bridge|/etc/xen/scripts/vif-bridge" },
    { "ip", KEY_DROPPED, "the hotplug script used it: see libvirt's clean-traffic filter", NULL },
    { "backend", KEY_REFUSED, "there are no driver domains: give a bridge of this host", "0|Domain-0" },
    { "rate", KEY_MAPPED, "<bandwidth><outbound average='KiB/s'>", NULL },
    { "devid", KEY_DROPPED, "interfaces count in their order", NULL },
    { "mtu", KEY_MAPPED, "<mtu size='...'>", NULL },
    { "vlan", KEY_MAPPED, "<vlan>: needs Open vSwitch, or libvirt 11.0 or newer", NULL },
    { "trusted", KEY_DROPPED, "the back end is trusted", "1" },
    { "accel", KEY_DROPPED, "xl ignores it, too", NULL },
    { "forwarddev", KEY_REFUSED, COLO, NULL },
    { "colo_*", KEY_REFUSED, COLO, NULL },
};
TABLE(keys_vif, "vif", "vif=", "xl-network-configuration(5)", vif);

static const Key pci[] = {
    { "bdf", KEY_MAPPED, "<source><address>", NULL },
    { "vslot", KEY_MAPPED, "<address slot='...'>", NULL },
    { "permissive", KEY_DROPPED, "VFIO decides what may be written", NULL },
    { "msitranslate", KEY_DROPPED, "interrupts are remapped", NULL },
    { "seize", KEY_MAPPED, "<hostdev managed='yes'>, as always", NULL },
    { "power_mgmt", KEY_DROPPED, "VFIO sees to power states", "0|1" },
    { "rdm_policy", KEY_DROPPED, "QEMU and VFIO see to reserved memory", "strict" },
    { "name", KEY_REFUSED, "it is a name that xl has given to a device: give the BDF", NULL },
};
TABLE(keys_pci, "pci", "pci=", "xl-pci-configuration(5)", pci);

static const Key usbctrl[] = {
    { "type", KEY_MAPPED, "an emulated controller, whatever the type", NULL },
    { "version", KEY_MAPPED, "<controller model='piix3-uhci', 'ehci' or 'qemu-xhci'>", NULL },
    { "ports", KEY_MAPPED, "<controller ports='...'>, with version=3 only", NULL },
    { "backend", KEY_REFUSED, "there are no driver domains: remove it", "0|Domain-0" },
};
TABLE(keys_usbctrl, "usbctrl", "usbctrl=", "xl.cfg(5)", usbctrl);

static const Key usbdev[] = {
    { "type", KEY_MAPPED, "<hostdev type='usb'>", NULL },
    { "hostbus", KEY_MAPPED, "<source><address bus='...'>", NULL },
    { "hostaddr", KEY_MAPPED, "<source><address device='...'>", NULL },
    { "controller", KEY_MAPPED, "<address bus='...'>", NULL },
    { "port", KEY_MAPPED, "<address port='...'>", NULL },
};
TABLE(keys_usbdev, "usbdev", "usbdev=", "xl.cfg(5)", usbdev);

static const Key channel[] = {
    { "name", KEY_MAPPED, "<target type='virtio' name='...'>", NULL },
    { "connection", KEY_MAPPED, "socket: <channel type='unix'>; pty: <channel type='pty'>", NULL },
    { "path", KEY_MAPPED, "<source mode='bind' path='...'>", NULL },
    { "backend", KEY_REFUSED, "there are no driver domains: remove it", "0|Domain-0" },
};
TABLE(keys_channel, "channel", "channel=", "xl.cfg(5)", channel);

static const Key vnuma[] = {
    { "pnode", KEY_MAPPED, "<numatune><memnode nodeset='...'>", NULL },
    { "size", KEY_MAPPED, "<cell memory='...'>", NULL },
    { "vcpus", KEY_MAPPED, "<cell cpus='...'>", NULL },
    { "vdistances", KEY_MAPPED, "<cell><distances>", NULL },
};
TABLE(keys_vnuma, "vnuma", "vnuma=", "xl.cfg(5)", vnuma);

static const Key smbios[] = {
    { "bios_vendor", KEY_MAPPED, "<bios><entry name='vendor'>", NULL },
    { "bios_version", KEY_MAPPED, "<bios><entry name='version'>", NULL },
    { "system_manufacturer", KEY_MAPPED, "<system><entry name='manufacturer'>", NULL },
    { "system_product_name", KEY_MAPPED, "<system><entry name='product'>", NULL },
    { "system_version", KEY_MAPPED, "<system><entry name='version'>", NULL },
    { "system_serial_number", KEY_MAPPED, "<system><entry name='serial'>", NULL },
    { "baseboard_manufacturer", KEY_MAPPED, "<baseBoard><entry name='manufacturer'>", NULL },
    { "baseboard_product_name", KEY_MAPPED, "<baseBoard><entry name='product'>", NULL },
    { "baseboard_version", KEY_MAPPED, "<baseBoard><entry name='version'>", NULL },
    { "baseboard_serial_number", KEY_MAPPED, "<baseBoard><entry name='serial'>", NULL },
    { "baseboard_asset_tag", KEY_MAPPED, "<baseBoard><entry name='asset'>", NULL },
    { "baseboard_location_in_chassis", KEY_MAPPED, "<baseBoard><entry name='location'>", NULL },
    { "enclosure_manufacturer", KEY_MAPPED, "<chassis><entry name='manufacturer'>", NULL },
    { "enclosure_serial_number", KEY_MAPPED, "<chassis><entry name='serial'>", NULL },
    { "enclosure_asset_tag", KEY_MAPPED, "<chassis><entry name='asset'>", NULL },
    { "battery_manufacturer", KEY_DROPPED, "QEMU makes no battery's entry", NULL },
    { "battery_device_name", KEY_DROPPED, "QEMU makes no battery's entry", NULL },
    { "oem", KEY_MAPPED, "<oemStrings><entry>", NULL },
};
TABLE(keys_smbios, "smbios", "smbios=", "xl.cfg(5)", smbios);
