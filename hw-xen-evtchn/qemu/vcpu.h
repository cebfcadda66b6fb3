/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's vCPUs by number, for threads that do not hold the BQL. */

#ifndef HW_XEN_EVTCHN_VCPU_H
#define HW_XEN_EVTCHN_VCPU_H

/* Room for vCPUs 0 to @nr - 1; a second call does nothing. */
void xen_evtchn_vcpus_init(uint32_t nr);

/* @cs, which is @vcpu, can take events from now on.  BQL held. */
void xen_evtchn_vcpu_publish(uint32_t vcpu, CPUState *cs);
/*
 * It takes none any more.  When this returns no thread has it from
 * xen_evtchn_get_cpu(), so that it may be destroyed.  BQL held; waits for
 * threads that raise an event at it, which never wait for the BQL.
 */
void xen_evtchn_vcpu_withdraw(uint32_t vcpu);

/*
 * @vcpu, or NULL if there is no such one at present.  It stays until it is put,
 * which must be soon and without the BQL taken in between.  Any thread.
 */
CPUState *xen_evtchn_get_cpu(uint32_t vcpu);
void xen_evtchn_put_cpu(uint32_t vcpu);

/* The same for as long as the BQL is held. */
CPUState *xen_evtchn_cpu(uint32_t vcpu);

#endif /* HW_XEN_EVTCHN_VCPU_H */
