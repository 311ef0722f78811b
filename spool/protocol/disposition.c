#include "disposition.h"
