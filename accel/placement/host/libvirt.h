/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libvirt's domains: which there are, and their threads' masks, which are set by libvirt, so
 * that what it knows of them stays right.  They are set for the running domain only.
 *
 * A domain's process and threads are found in /proc, as libvirt names them for its own
 * use: with its monitor one could ask, but that marks the domain as tainted.
 */

#ifndef HOST_LIBVIRT_H
#define HOST_LIBVIRT_H

#include "qmp.h"

#include "place.h"

typedef struct Libvirt Libvirt;

typedef struct LibvirtDomain {
    void *domain; /* virDomainPtr */
    char *name;
    pid_t pid;
    guint64 memory; /* MiB */
} LibvirtDomain;

/* NULL with an error, also where xen-place was built without libvirt. */
Libvirt *libvirt_open(const char *uri, GError **error);
void libvirt_close(Libvirt *libvirt);
/*
 * Of LibvirtDomain *: those that run.  NULL: libvirt does not answer; it is
 * asked again in the next call.
 */
GPtrArray *libvirt_domains(Libvirt *libvirt);
void libvirt_domain_free(LibvirtDomain *domain);

/* Of QmpThread, as qmp_threads() has them; NULL: the process is gone. */
GArray *libvirt_threads(const LibvirtDomain *domain);
/*
 * Narrows @set to what the domain's definition allows the thread, also from its
 * next start on.
 */
void libvirt_limit(const LibvirtDomain *domain, const QmpThread *thread,
                   struct place_set *set);
gboolean libvirt_pin(const LibvirtDomain *domain, const QmpThread *thread,
                     const struct place_set *set);

#endif /* HOST_LIBVIRT_H */
