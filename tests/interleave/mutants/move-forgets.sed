# SPDX-License-Identifier: GPL-2.0-or-later
# EVTCHNOP_bind_vcpu leaves behind what the old vCPU's missing memory has set
# aside.
/evtchn_retry(d, port, port + 1);/d
