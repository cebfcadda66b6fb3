# SPDX-License-Identifier: GPL-2.0-or-later
# Pollers are woken before PENDING is set.
s/if (likely(set_pending_and_linked(chn, word, &newly_pending))) {/evtchn_delivered(d, binding_vcpu(seen.binding), port, true, false);\n    &/
/^static bool raise_fifo/,/^}/ {
    s/evtchn_delivered(d, binding_vcpu(seen.binding), port, newly_pending,/evtchn_delivered(d, binding_vcpu(seen.binding), port, false,/
}
