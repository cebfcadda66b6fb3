# SPDX-License-Identifier: GPL-2.0-or-later
# A sender that has the lock does not look again: the event goes to the vCPU
# that the port has just left.
s/if (unlikely(!evtchn_is_still(chn, seen))) {/if (false) {/
