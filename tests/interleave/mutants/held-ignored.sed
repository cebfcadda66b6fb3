# SPDX-License-Identifier: GPL-2.0-or-later
# An unbound port is changed while another thread raises or changes it.
s/} else if (b & BINDING_HELD) {/} else if (false) {/
s/if (evtchn_cmpxchg(lock, &b, b | BINDING_HELD)) {/evtchn_store(lock, b | BINDING_HELD);\n            if (true) {/
