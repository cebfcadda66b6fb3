/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One conversion: what was read, what it became, and what there is to say about it.
 */

#ifndef XL2VIRT_CONVERSION_H
#define XL2VIRT_CONVERSION_H

#include <glib.h>
#include <libxml/tree.h>

#include "keys.h"

#define DEFAULT_EMULATOR "/usr/bin/qemu-system-x86_64-xenkvm"
#define MACHINE_HVM "pc-i440fx-10.0-xen4.17"
#define MACHINE_PV "pc-i440fx-10.0-xenpv4.17"

/*
 * Copies of Debian's grub-xen-host: virt-aa-helper refuses a kernel in /usr/lib or in
 * /usr/share.
 */
#define GRUB_PV64 "/var/lib/xenkvm/grub-x86_64-xen.bin"
#define GRUB_PV32 "/var/lib/xenkvm/grub-i386-xen.bin"
#define GRUB_PVH "/var/lib/xenkvm/grub-i386-xen_pvh.bin"

/*
 * What the layer between the machine and a PV guest takes from the guest's memory. The
 * monitor has tables, of 2.3 MiB for each GiB, and itself. The shim, which a 32-bit
 * kernel gets, also has a least memory that it starts today's Linux in: it wants a free
 * piece of a power of two for the kernel's part of the address space, which is more than
 * 64 MiB. It is the only place that knows of these sizes.
 */
#define PV_MONITOR_MIB 2
#define PV_MONITOR_MIB_PER_GIB 3
#define PV_SHIM_MIB 24
#define PV_SHIM_LEAST_MIB 384

#define METADATA_NAMESPACE "urn:xenkvm:domain:1.0"

#define MAX_FILE (1 << 20)

typedef enum GuestType { GUEST_PV, GUEST_HVM, GUEST_PVH } GuestType;

typedef struct Options {
    const char *file; /* in messages */
    const char *type; /* "kvm" or "qemu" */
    const char *emulator;
    gboolean stock;
} Options;

/* What became of one key of the input: a line of --check. */
typedef struct Row {
    int line;
    char *name;
    const char *fate;
    char *becomes;
} Row;

typedef struct Conversion {
    const Options *options;

    GPtrArray *rows;     /* of Row */
    GPtrArray *messages; /* of strings, without an end of line */
    unsigned int errors;
    GPtrArray *unknown;  /* names of keys, each with its line */
    int unknown_line;

    GuestType guest;
    gboolean has_shim;    /* GRUB for 32-bit PV guests is the kernel */
    gboolean by_firmware; /* no kernel: SeaBIOS or OVMF finds a boot disk */

    /* The result, which both readers make: a domain for the patched driver. */
    xmlDocPtr doc;
    xmlNodePtr domain;
    xmlNodePtr os;
    xmlNodePtr features;
    xmlNodePtr devices;
} Conversion;

void conversion_init(Conversion *c, const Options *options);
void conversion_free(Conversion *c);

/*
 * Converts the text of a file.  Returns false if it cannot be converted: then there is
 * at least one error among the messages.
 */
gboolean conversion_run(Conversion *c, const char *text, size_t length);

/* Messages.  The line is 0 if there is none to name. */
void report_error(Conversion *c, int line, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
void report_warning(Conversion *c, int line, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
/* A row, and the warning or error that the key's fate asks for. */
void report_key(Conversion *c, int line, const char *name, const Key *key);
/* The key is there with a value that asks for nothing. */
void report_neutral(Conversion *c, int line, const char *name);
/* The key is mapped for other guests, but nothing of this one depends on it. */
void report_no_effect(Conversion *c, int line, const char *name);
void report_unknown(Conversion *c, int line, const char *name);
/* After all keys: the one warning that names the unknown ones. */
void report_all_unknown(Conversion *c);

/* --check, and the documents' tables. */
void print_rows(const Conversion *c);
void print_tables(void);

/* Makes the result's first nodes; both readers begin with it. */
void domain_begin(Conversion *c);
/* What each domain has beside that which the input asks for. */
void domain_complete(Conversion *c);
/* Replaces what an unmodified libvirt does not know of Xen. */
void domain_make_stock(Conversion *c);

void read_xl_cfg(Conversion *c, const char *text, size_t length);
void read_libxl_xml(Conversion *c, const char *text, size_t length);

/* Nodes.  A value of NULL makes none. */
xmlNodePtr add(xmlNodePtr parent, const char *name, const char *value);
xmlNodePtr add_number(xmlNodePtr parent, const char *name,
                      unsigned long long value);
/* The child of this name, made if there is none. */
xmlNodePtr child(xmlNodePtr parent, const char *name);
xmlNodePtr find_child(xmlNodePtr parent, const char *name);
void set(xmlNodePtr node, const char *attribute, const char *value);
void set_number(xmlNodePtr node, const char *attribute,
                unsigned long long value);
/* To be freed with g_free(); NULL if there is none. */
char *get(xmlNodePtr node, const char *attribute);
gboolean has(xmlNodePtr node, const char *attribute, const char *value);
void unset(xmlNodePtr node, const char *attribute);
char *text_of(xmlNodePtr node);
/* The first device of this kind whose attribute has this value. */
xmlNodePtr find_device(Conversion *c, const char *name, const char *attribute,
                       const char *value);
void remove_node(xmlNodePtr node);
const char *guest_type_name(GuestType type);

/* Sizes are in KiB; the balloon may grow to MOST. A message is KEY's, in LINE. */
void domain_set_memory(Conversion *c, int line, const char *key, guint64 memory,
                       guint64 most);

#endif
