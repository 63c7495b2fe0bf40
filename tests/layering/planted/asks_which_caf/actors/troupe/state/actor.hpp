#pragma once
#if CAF_MAJOR_VERSION >= 1
#endif
