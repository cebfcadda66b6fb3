# SPDX-License-Identifier: GPL-2.0-or-later
# An event goes to the vCPU that the port has just left.
s/if (likely(evtchn_load(&chn->vcpu) == vcpu)) {/if (true) {/
