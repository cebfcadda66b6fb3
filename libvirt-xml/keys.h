/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What becomes of each key of a Xen configuration.  The converter, --check, the
 * documents and the tests all read these tables: a key that is in none of them is
 * unknown.
 */

#ifndef XL2VIRT_KEYS_H
#define XL2VIRT_KEYS_H

#include <stddef.h>

typedef enum KeyFate {
    KEY_MAPPED,  /* code in this folder reads it */
    KEY_DROPPED, /* left out, with a warning */
    KEY_REFUSED, /* the guest would miss it: no conversion */
} KeyFate;

typedef struct Key {
    /* As Xen spells it; one that ends with '*' stands for all with this beginning. */
    const char *name;
    KeyFate fate;
    /* What it becomes, or why it does not and what to do. */
    const char *becomes;
    /*
     * The values, with '|' between them, that ask for nothing, so that a key that is
     * dropped or refused with any other one is fine with these.  For NULL: 0, the
     * empty string and the empty list.
     */
    const char *neutral;
} Key;

typedef struct KeyTable {
    const char *name;  /* before the key's in messages: "vif" in "vif.mac" */
    const char *title; /* in documents */
    const char *page;  /* the manual page that explains the keys */
    const Key *keys;
    size_t n_keys;
} KeyTable;

extern const KeyTable keys_xl_cfg;
extern const KeyTable keys_disk;
extern const KeyTable keys_vif;
extern const KeyTable keys_pci;
extern const KeyTable keys_usbctrl;
extern const KeyTable keys_usbdev;
extern const KeyTable keys_channel;
extern const KeyTable keys_vnuma;
extern const KeyTable keys_smbios;
/* Elements of libxl's domain XML, by their path below <domain>. */
extern const KeyTable keys_libxl_xml;

/* All of them, and NULL. */
extern const KeyTable *const key_tables[];

/* NULL if the table has none of this name. */
const Key *key_find(const KeyTable *table, const char *name);

#endif
