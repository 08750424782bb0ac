"""Which bodies several contrasts are held against."""

from sasnet_plugin.fitting.strategy.joint_search import list_layered_bodies, materials


def test_a_layered_body_may_be_another_of_as_many_layers_that_the_network_offers():
    """Three contrasts of bicelles were core-shell ellipsoids within 2.6 % of I, and nobody tried bicelles."""
    known = {"gel_fit": 0.2, "cylinder": 0.1, "core_shell_cylinder": 0.07, "core_shell_bicelle": 0.03}
    offered = known | {"core_shell_parallelepiped": 0.001}
    assert list_layered_bodies("core_shell_ellipsoid", offered, ()) == [
        "core_shell_cylinder",
        "core_shell_bicelle",
    ]
    assert list_layered_bodies("core_shell_ellipsoid", offered, {"core_shell_cylinder"}) == [
        "core_shell_bicelle"
    ]


def test_a_plain_body_may_be_coated_whatever_the_network_says():
    found = list_layered_bodies("sphere", {"vesicle": 0.001}, ())
    assert "core_shell_sphere" in found
    assert all(materials(name) > 1 for name in found)
