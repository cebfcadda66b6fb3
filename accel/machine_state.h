/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the machines of a saved guest must have alike. */

#ifndef XEN_MACHINE_STATE_H
#define XEN_MACHINE_STATE_H

/* Once the machine's accelerator is known. */
void xen_machine_state_init(void);

#endif /* XEN_MACHINE_STATE_H */
