"""Check digits of numbers on products."""


def gtin_fits(digits: str) -> bool:
    """Tell whether the last digit is the check digit of GS1, modulo 10.

    GS1 General Specifications, section 7.9: weights 3 and 1 by turns, from the right, 3 beside the
    check digit.

    >>> gtin_fits("4006381333931"), gtin_fits("4006381333932")
    (True, False)
    """
    numbers = [int(digit) for digit in reversed(digits)]
    return (sum(numbers[::2]) + 3 * sum(numbers[1::2])) % 10 == 0


def luhn_fits(digits: str) -> bool:
    """Tell whether the last digit is Luhn's check digit (ISO/IEC 7812-1, annex B).

    >>> luhn_fits("79927398713"), luhn_fits("79927398710")
    (True, False)
    """
    numbers = [int(digit) for digit in reversed(digits)]
    doubled = sum(sum(divmod(2 * number, 10)) for number in numbers[1::2])
    return (sum(numbers[::2]) + doubled) % 10 == 0
