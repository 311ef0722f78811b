#include "setting.h"
